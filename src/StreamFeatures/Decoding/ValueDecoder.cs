using StreamMl.Infrastructure.Avro;
using StreamMl.Infrastructure.Registry;
using StreamMl.Shared.Events;
using StreamMl.StreamFeatures.Records;

namespace StreamMl.StreamFeatures.Decoding;

/// <summary>Decodes the values of one log; writer schemas are fetched before they are needed. One per partition; not thread-safe.</summary>
internal sealed class ValueDecoder(EventDecoderSet decoders)
{
    private const int UnknownIdsMax = 10_000;
    private const int NoSuchSchema = 40403;

    private readonly HashSet<int> unknownIds = [];

    /// <summary>Fetches the schemas that these records name and that are not here yet. Completes at once in the steady state.</summary>
    /// <exception cref="HttpRequestException">The registry cannot be reached: to be tried again.</exception>
    public async ValueTask PrepareAsync(RecordSlice slice, CancellationToken cancellationToken)
    {
        while (FirstMissing(slice) is { } id)
        {
            try
            {
                await decoders.PrepareAsync(id, cancellationToken);
            }
            catch (RegistryException e) when (e.ErrorCode == NoSuchSchema)
            {
                // Producers register before they produce, so this is bad data. Bounded: garbage may name any number of ids.
                if (unknownIds.Count >= UnknownIdsMax)
                    unknownIds.Clear();
                unknownIds.Add(id);
            }
        }
    }

    /// <summary>Decodes the value into <paramref name="row"/>; false with the reason where it is bad data.</summary>
    public bool TryDecode(ReadOnlySpan<byte> value, EventBatch batch, int row, out long eventTimeUs, out string? error)
    {
        var status = decoders.Decode(value, batch, row, out eventTimeUs, out var schemaId, out error);
        if (status == DecodeStatus.SchemaMissing)
            error = $"the schema registry has no schema with id {schemaId}";
        return status == DecodeStatus.Decoded;
    }

    private int? FirstMissing(RecordSlice slice)
    {
        var last = -1;
        for (var row = slice.First; row < slice.First + slice.Count; row++)
        {
            if (!ConfluentWire.TryReadSchemaId(slice.Records.Value(row), out var id, out _) || id == last)
                continue;
            last = id;
            if (!decoders.TryGet(id, out _, out _) && !unknownIds.Contains(id))
                return id;
        }

        return null;
    }
}
