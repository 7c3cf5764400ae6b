using StreamMl.Infrastructure.Avro;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Tests.Avro;

public sealed class EventDecoderSetTests
{
    private static readonly string Schema = AvroSamples.Record("""{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}}""");

    [Fact]
    public async Task Decode_NewSchemaId_IsDecodedOncePrepared()
    {
        var lookups = 0;
        using var set = new EventDecoderSet(AvroSamples.Source(Schema), AvroSchemaReader.ReadEventSchema(Schema), (id, _) =>
        {
            Interlocked.Increment(ref lookups);
            return new ValueTask<string>(id == 8 ? AvroSamples.Record("""{"name":"other","type":"int"}""") : Schema);
        });
        var batch = new EventBatch(set.BatchSchema, 4);
        set.Decode([0, 0, 0, 0, 7, 4], batch, 0, out _, out var missing, out _).ShouldBe(DecodeStatus.SchemaMissing);
        missing.ShouldBe(7);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => set.PrepareAsync(7).AsTask()));
        lookups.ShouldBe(1);
        set.Decode([0, 0, 0, 0, 7, 4], batch, 0, out var time, out _, out _).ShouldBe(DecodeStatus.Decoded);
        time.ShouldBe(2);
        await set.PrepareAsync(8);
        set.Decode([0, 0, 0, 0, 8, 4], batch, 0, out _, out _, out var refusal).ShouldBe(DecodeStatus.Refused);
        refusal!.ShouldContain("schema id 8 cannot be read as source 's': the event time field 't' is not in the writer's schema E");
        set.Decode([1, 2], batch, 0, out _, out _, out var notWire).ShouldBe(DecodeStatus.Refused);
        notWire!.ShouldContain("the value has 2 bytes");
    }

    [Fact]
    public async Task PrepareAsync_LookupFails_IsTriedAgain()
    {
        var fail = true;
        using var set = new EventDecoderSet(AvroSamples.Source(Schema), AvroSchemaReader.ReadEventSchema(Schema), (_, _) =>
            fail ? throw new HttpRequestException("registry down") : new ValueTask<string>(Schema));
        await Should.ThrowAsync<HttpRequestException>(async () => await set.PrepareAsync(7));
        set.TryGet(7, out _, out _).ShouldBeFalse();
        fail = false;
        await set.PrepareAsync(7);
        set.TryGet(7, out var decoder, out _).ShouldBeTrue();
        decoder.ShouldNotBeNull();
    }
}
