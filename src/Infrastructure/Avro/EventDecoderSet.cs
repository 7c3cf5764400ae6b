using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Avro;

/// <summary>What became of a value of a topic.</summary>
public enum DecodeStatus : byte
{
    /// <summary>The row is filled.</summary>
    Decoded,

    /// <summary>Bad data, for the dead-letter topic: the error says why.</summary>
    Refused,

    /// <summary>Its schema id is new: await <see cref="EventDecoderSet.PrepareAsync"/> with it, then decode again.</summary>
    SchemaMissing,
}

/// <summary>
/// The decoders of one source by schema id, filled as new ids are met. Schemas that cannot be read as the source's are remembered with the
/// reason, so their records are refused at once. Thread-safe; reads take no lock.
/// </summary>
/// <param name="source">Whose events they are.</param>
/// <param name="batchSchema">The columns that are wanted: a projection of the source's schema.</param>
/// <param name="schemaOf">Looks up a writer schema by id; its exceptions (no such id, registry not reachable) pass through and are not remembered.</param>
public sealed class EventDecoderSet(SourceDefinition source, EventSchema batchSchema, Func<int, CancellationToken, ValueTask<string>> schemaOf) : IDisposable
{
    /// <summary>Most schema ids of one source; a topic with more is not one source.</summary>
    public const int MaxSchemas = 1_000;

    private readonly SemaphoreSlim oneAtATime = new(1);
    private volatile Entry last = new(-1, null, null);
    private volatile Dictionary<int, Entry> entries = [];

    public EventSchema BatchSchema => batchSchema;

    /// <summary>True where the id is known: with its decoder, or with the reason why its records cannot be read.</summary>
    public bool TryGet(int schemaId, out EventDecoder? decoder, out string? refusal)
    {
        var entry = last;
        if (entry.SchemaId != schemaId || (entry.Decoder is null && entry.Refusal is null))
        {
            if (!entries.TryGetValue(schemaId, out entry))
            {
                decoder = null;
                refusal = null;
                return false;
            }

            last = entry;
        }

        decoder = entry.Decoder;
        refusal = entry.Refusal;
        return true;
    }

    /// <summary>Looks the schema up and compiles its decoder, once; afterwards <see cref="TryGet"/> is true for the id.</summary>
    /// <exception cref="InvalidOperationException">More than <see cref="MaxSchemas"/> ids.</exception>
    public async ValueTask PrepareAsync(int schemaId, CancellationToken cancellationToken = default)
    {
        if (TryGet(schemaId, out _, out _))
            return;
        await oneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (entries.ContainsKey(schemaId))
                return;
            if (entries.Count >= MaxSchemas)
                throw new InvalidOperationException($"source '{source.Name}' has events of more than {MaxSchemas} schema ids, newest {schemaId}; does its producer register a schema per event?");
            var entry = Compile(schemaId, await schemaOf(schemaId, cancellationToken));
            // Copied, so that readers need no lock.
            entries = new Dictionary<int, Entry>(entries) { [schemaId] = entry };
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    /// <summary>Decodes a value in Confluent's wire format; see <see cref="EventDecoder.TryDecode"/> for the row.</summary>
    public DecodeStatus Decode(ReadOnlySpan<byte> value, EventBatch batch, int row, out long eventTimeUs, out int schemaId, out string? error)
    {
        eventTimeUs = 0;
        if (!ConfluentWire.TryReadSchemaId(value, out schemaId, out var body))
        {
            error = ConfluentWire.Explain(value);
            return DecodeStatus.Refused;
        }

        if (!TryGet(schemaId, out var decoder, out error))
            return DecodeStatus.SchemaMissing;
        return decoder is not null && decoder.TryDecode(body, batch, row, out eventTimeUs, out error) ? DecodeStatus.Decoded : DecodeStatus.Refused;
    }

    public void Dispose() => oneAtATime.Dispose();

    private Entry Compile(int schemaId, string writerSchema)
    {
        try
        {
            return new Entry(schemaId, new EventDecoder(writerSchema, source, batchSchema), null);
        }
        catch (AvroSchemaException e)
        {
            return new Entry(schemaId, null, $"schema id {schemaId} cannot be read as source '{source.Name}': {e.Message}");
        }
    }

    private sealed record Entry(int SchemaId, EventDecoder? Decoder, string? Refusal);
}
