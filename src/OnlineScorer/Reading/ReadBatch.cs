using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>
/// Requests to one service that are read together, and their answers. Reused from batch to batch (<see cref="Clear"/>), so that the steady
/// state allocates little. Not thread-safe: one owner at a time.
/// </summary>
public sealed class ReadBatch(ServedService service)
{
    /// <summary>As an asked time: the greatest watermark that the request's positions have; 0 (1970) where nothing was seen yet.</summary>
    public const long LatestUs = long.MaxValue;

    private const long NullKey = -1;
    private readonly int keyCount = service.Program.Keys.Count;
    private readonly List<FeatureRow> rows = [];
    private readonly Utf8Arena keyBytes = new();
    private long[] asOfUs = new long[16];
    private long[] keyLanes = new long[16 * service.Program.Keys.Count];

    public ServedService Service { get; } = service;

    public int Count { get; private set; }

    internal ReadPlan Plan { get; } = new(service);

    internal FeatureRow Scratch { get; } = new(service.Program.WidestView);

    internal ViewAnswer[] Answers { get; private set; } = new ViewAnswer[16 * service.Views.Count];

    /// <summary>Adds a request with null keys; set them with <see cref="SetKey(int, int, ReadOnlySpan{byte})"/>. Returns its index.</summary>
    public int Add(long asOfUs)
    {
        if (Count == this.asOfUs.Length)
            Grow();
        this.asOfUs[Count] = asOfUs;
        keyLanes.AsSpan(Count * keyCount, keyCount).Fill(NullKey);
        if (rows.Count == Count)
            rows.Add(new FeatureRow(Service.Program.Columns.Count));
        return Count++;
    }

    /// <summary>Adds a request with the texts of all keys, in the order of the service's keys; null: a null key, whose views read as empty.</summary>
    public int Add(long asOfUs, params ReadOnlySpan<string?> keys)
    {
        var request = Add(asOfUs);
        for (var slot = 0; slot < keys.Length; slot++)
        {
            if (keys[slot] is { } text)
                keyLanes[(request * keyCount) + slot] = keyBytes.Append(text);
        }

        return request;
    }

    /// <summary>The canonical text of a key (not escaped): see <see cref="Shared.Log.EntityKey"/>.</summary>
    public void SetKey(int request, int slot, ReadOnlySpan<byte> utf8) => keyLanes[(request * keyCount) + slot] = keyBytes.Append(utf8);

    /// <summary>False for a null key.</summary>
    public bool TryGetKey(int request, int slot, out ReadOnlySpan<byte> utf8)
    {
        var lane = keyLanes[(request * keyCount) + slot];
        utf8 = lane == NullKey ? default : keyBytes.Slice(lane);
        return lane != NullKey;
    }

    /// <summary>The asked time; after the read also where <see cref="LatestUs"/> was asked.</summary>
    public long AsOfUs(int request) => asOfUs[request];

    /// <summary>The values, one per column of the service. Valid until <see cref="Clear"/>.</summary>
    public FeatureRow Row(int request) => rows[request];

    /// <summary>Where the values of the service's view of this index come from.</summary>
    public ref readonly ViewAnswer Answer(int request, int view) => ref Answers[(request * Service.Views.Count) + view];

    public void Clear()
    {
        Count = 0;
        keyBytes.Clear();
    }

    /// <summary>Adds this batch's requests to another one of the same service.</summary>
    internal void CopyRequestsTo(ReadBatch other)
    {
        for (var request = 0; request < Count; request++)
        {
            var copy = other.Add(asOfUs[request]);
            for (var slot = 0; slot < keyCount; slot++)
            {
                if (TryGetKey(request, slot, out var text))
                    other.SetKey(copy, slot, text);
            }
        }
    }

    /// <summary>Takes the answers of the requests that were copied to the other batch from that index on. The rows change hands: the other gets this one's old ones.</summary>
    internal void TakeAnswersFrom(ReadBatch other, int first)
    {
        for (var request = 0; request < Count; request++)
        {
            (rows[request], other.rows[first + request]) = (other.rows[first + request], rows[request]);
            asOfUs[request] = other.asOfUs[first + request];
        }

        var views = Service.Views.Count;
        other.Answers.AsSpan(first * views, Count * views).CopyTo(Answers);
    }

    internal void SetAsOf(int request, long timeUs) => asOfUs[request] = timeUs;

    private void Grow()
    {
        var capacity = asOfUs.Length * 2;
        Array.Resize(ref asOfUs, capacity);
        Array.Resize(ref keyLanes, capacity * keyCount);
        var answers = Answers;
        Array.Resize(ref answers, capacity * Service.Views.Count);
        Answers = answers;
    }
}
