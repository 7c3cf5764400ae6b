using StackExchange.Redis;
using StreamMl.Shared.Store;

namespace StreamMl.Infrastructure.Store;

/// <summary>The values of one MGET: as they came, or by way of a redirect. Dispose once.</summary>
internal readonly struct MgetReply : IDisposable
{
    private readonly RespResult? direct;
    private readonly byte[]?[] followed;

    public MgetReply(RespResult direct) => (this.direct, followed) = (direct, []);

    public MgetReply(RedisResult followed) => this.followed = (byte[]?[]?)followed ?? [];

    /// <param name="values">Where they go; not for several threads at once.</param>
    /// <param name="indexes">The index there of each.</param>
    public void CopyTo(StoreValues values, IReadOnlyList<int> indexes)
    {
        for (var i = 0; i < followed.Length; i++)
            followed[i]?.CopyTo(values.Allocate(indexes[i], followed[i]!.Length));
        if (direct is null)
            return;
        var reader = direct.Read();
        for (var i = 0; i < indexes.Count; i++)
        {
            reader.MoveNextScalar();
            if (!reader.IsNull)
                reader.CopyTo(values.Allocate(indexes[i], reader.ScalarLength()));
        }
    }

    public void Dispose() => direct?.Dispose();
}
