using System.Buffers.Binary;
using System.IO.Hashing;

namespace StreamMl.OnlineScorer.Api.Predicting;

/// <summary>Names a prediction by what it is a function of: model, time, positions and values. The same ones give the same id. Pure.</summary>
internal static class RequestId
{
    public static string Of(PredictWork work, int row)
    {
        var bytes = work.IdBytes;
        bytes.Clear();
        Add(work, work.Read.AsOfUs(row));
        for (var view = 0; view < work.Model.Service.Views.Count; view++)
        {
            ref readonly var answer = ref work.Read.Answer(row, view);
            Add(work, answer.Partition);
            Add(work, answer.NextOffset);
        }

        var vector = work.Session.Row.Vector;
        for (var input = 0; input < vector.Lanes.Length; input++)
        {
            Add(work, vector.Valid[input]);
            if (vector.Valid[input] != 0 && work.Model.Inputs[input].Type == Shared.Events.FieldType.String)
                vector.Arena.Slice(vector.Lanes[input]).CopyTo(bytes.Reserve(vector.Arena.Slice(vector.Lanes[input]).Length));
            else
                Add(work, vector.Lanes[input]);
        }

        for (var slot = 0; slot < work.Model.Service.Program.Keys.Count; slot++)
        {
            Add(work, work.Read.TryGetKey(row, slot, out var text) ? text.Length : -1);
            text.CopyTo(bytes.Reserve(text.Length));
        }

        Span<byte> digest = stackalloc byte[16];
        XxHash128.Hash(bytes.Written, digest);
        return string.Concat(work.IdPrefix, Convert.ToHexStringLower(digest));
    }

    private static void Add(PredictWork work, long value) => BinaryPrimitives.WriteInt64LittleEndian(work.IdBytes.Reserve(sizeof(long)), value);
}
