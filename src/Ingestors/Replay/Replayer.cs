using System.Text;
using Confluent.Kafka;
using Microsoft.Extensions.Logging;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Infrastructure.Registry;
using StreamMl.Ingestors.Mapping;
using StreamMl.Ingestors.Records;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Ingestors.Replay;

/// <summary>
/// Replays the files of a mapping into the topics of a catalogue: merged by arrival time, at a speed or as fast as the workers follow, resumable
/// (<see cref="ReplayMark"/>). One run per object.
/// </summary>
/// <param name="store">For the gate; null: none (then <see cref="ReplayOptions.MaxAhead"/> must be null).</param>
public sealed partial class Replayer(
    Catalog catalog, KafkaEndpoint kafka, IStateStore? store, SchemaRegistryClient registry, ReplayOptions options, ReplayStatus status, TimeProvider time, ILogger<Replayer> logger)
{
    private const int RecordsPerReport = 1024;

    private readonly SentLedger sent = new();
    private readonly List<ReplaySource> sources = [];
    private ReplayGate? gate;
    private long lastArrivalUs = PositionRecord.None;

    /// <summary>Returns when all records up to the end, or to <see cref="ReplayOptions.UntilArrivalUs"/>, are delivered.</summary>
    /// <exception cref="MappingException">The mapping does not fit.</exception>
    /// <exception cref="RegistryException">A schema is incompatible with what its subject has.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var producer = new KafkaProducerFactory(kafka).Create();
            await OpenAsync(cancellationToken);
            using var merge = new RecordMerge([.. sources.Select(s => s.Records)]);
            await SendAllAsync(merge, producer, cancellationToken);
            await producer.FlushAsync(cancellationToken);
            Report();
            foreach (var p in status.Sources)
                Ended(logger, p.Source, p.RowsRead, p.Produced, p.DeadLettered, p.NotWanted, p.OutsideTime, p.AlreadyThere);
            status.Complete();
        }
        catch (Exception e)
        {
            status.Fail(e);
            throw;
        }
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        var mapping = MappingReader.Read(options.MappingPath);
        using var admin = new TopicAdmin(kafka);
        foreach (var part in mapping.Sources.Where(s => options.Sources?.Contains(s.Source) != false))
        {
            var source = catalog.Sources.FirstOrDefault(s => s.Name == part.Source) ?? throw MappingException.Of(
                part.Location, $"the catalogue has no source '{part.Source}'", $"It has {string.Join(", ", catalog.Sources.Select(s => s.Name))}");
            sources.Add(await OpenAsync(part, source, admin, cancellationToken));
        }

        if (sources.Count == 0)
            throw MappingException.Of(new SourceLocation(mapping.Path, 1, 1), $"none of its sources is wanted ({string.Join(", ", options.Sources ?? [])})", $"It maps {string.Join(", ", mapping.Sources.Select(s => s.Source))}");
        if (options.MaxAhead is { } bound)
        {
            var units = new GateUnits(catalog, [.. sources.Select(s => s.Definition.Name)], options.GateServices);
            gate = new ReplayGate(units, store ?? throw new InvalidOperationException("A replay with --max-ahead needs the store; give one, or none as --max-ahead."), sent, bound, time, logger);
        }
    }

    private async Task<ReplaySource> OpenAsync(SourceMapping part, SourceDefinition source, TopicAdmin admin, CancellationToken cancellationToken)
    {
        var deadLetters = LogNames.DeadLetterTopic(source.Topic);
        await admin.EnsureTopicAsync(source.Topic, source.Partitions, cancellationToken);
        await admin.EnsureTopicAsync(deadLetters, source.Partitions, cancellationToken);
        var schemaId = await registry.RegisterAsync($"{source.Topic}-value", source.AvroSchema, cancellationToken);
        var id = ReplayMark.IdOf(part, source);
        var last = new long[source.Partitions];
        for (var p = 0; p < last.Length; p++)
            last[p] = await ReplayMark.LastAsync(kafka, admin, new PartitionId(source.Topic, p), id, cancellationToken);
        var lastDead = await ReplayMark.LastAsync(kafka, admin, new PartitionId(deadLetters, 0), id, cancellationToken);
        var files = new FileRecords(part, source, schemaId);
        IRecordStream records = part.Sort ? new SortedRecords(files, options.TemporaryFolder ?? Path.GetTempPath()) : files;
        if (files.Unset.Count > 0)
            FieldsUnset(logger, source.Name, string.Join(", ", files.Unset));
        return new ReplaySource(source, files, records, id, last, lastDead);
    }

    private async Task SendAllAsync(RecordMerge merge, RecordProducer producer, CancellationToken cancellationToken)
    {
        var pace = options.Speed is { } speed ? new ReplayPace(speed, time) : null;
        for (var count = 0L; merge.MoveNext(); count++)
        {
            if (merge.ArrivalTimeUs >= options.UntilArrivalUs)
                return;
            var source = sources[merge.Source];
            var (block, index) = (merge.Block, merge.Index);
            var problem = block.Problem(index);
            var target = source.Next(block.HasKey(index) ? block.KeySpan(index) : default, problem is not null, merge.ArrivalTimeUs < options.FromArrivalUs);
            if (target is not { } to)
                continue;
            if (pace is not null && pace.DueIn(merge.ArrivalTimeUs) is { Ticks: > 0 } due)
                await Task.Delay(due, time, cancellationToken);
            if (gate?.Allows(merge.ArrivalTimeUs) == false)
                await WaitAtGateAsync(merge.ArrivalTimeUs, producer, cancellationToken);
            sent.Sending(to);
            var headers = new Headers { { ReplayMark.Header, ReplayMark.Encode(source.Id, source.Number) } };
            if (problem is not null)
                AddProblem(headers, problem);
            lastArrivalUs = Math.Max(lastArrivalUs, merge.ArrivalTimeUs);
            await producer.SendAsync(to, block.Key(index), block.Value(index).ToArray(), Math.Max(merge.ArrivalTimeUs, 0), headers, sent, cancellationToken);
            if (count % RecordsPerReport == 0)
                Report();
        }
    }

    private async Task WaitAtGateAsync(long arrivalUs, RecordProducer producer, CancellationToken cancellationToken)
    {
        // Flushed, so that what is still in a batch does not wait for records that the gate holds back.
        Report();
        await producer.FlushAsync(cancellationToken);
        if (!gate!.Allows(arrivalUs))
            await gate.WaitAsync(arrivalUs, cancellationToken);
    }

    private static void AddProblem(Headers headers, BadRow problem)
    {
        headers.Add("reason", Encoding.UTF8.GetBytes(problem.Reason));
        headers.Add("source", Encoding.UTF8.GetBytes(problem.Where));
    }

    private void Report() => status.Report([.. sources.Select(s => s.Progress)], lastArrivalUs, gate?.Waits ?? 0);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Source}: {Rows} rows read, {Produced} produced, {DeadLettered} dead-lettered, {NotWanted} passed over by the mapping, {OutsideTime} before the time, {AlreadyThere} already there")]
    private static partial void Ended(ILogger logger, string source, long rows, long produced, long deadLettered, long notWanted, long outsideTime, long alreadyThere);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Source}: nothing gives the fields {Fields} a value; they are null or their default")]
    private static partial void FieldsUnset(ILogger logger, string source, string fields);
}
