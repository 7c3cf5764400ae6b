using StreamMl.BatchBackfill.Ledger;
using StreamMl.BatchBackfill.Parity;
using StreamMl.BatchBackfill.Spines;
using StreamMl.Infrastructure.Archive;
using StreamMl.Infrastructure.Kafka;
using StreamMl.Integration.Tests.Chaos.Flow;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Integration.Tests.Chaos.Verdict;

/// <summary>What is left of the promise when all has come to rest: every value against the backfill, every ledger against the archive, every dead letter. One use.</summary>
internal sealed class ChaosVerdict(ChaosOptions options, Catalog catalog, IStateStore store, string directory)
{
    private const int RowsPerRead = 500;

    /// <summary>After the last event, so that windows are also seen to empty: none, a part of them, most.</summary>
    private static readonly long[] AfterLastUs = [0, 10L * 60_000_000, 5L * 3_600_000_000];

    private string Archive => Path.Combine(directory, "archive");

    /// <summary>Every user and every shop, each at several times, through the product's reader; then recomputed by the backfill at the positions that the answers name.</summary>
    public async Task<ParityReport> CompareValuesAsync(CancellationToken cancellationToken)
    {
        var service = ServedService.Compile(catalog, catalog.Service(ChaosCatalog.Service));
        var reader = new FeatureReader(store, new FeatureReaderOptions());
        using (var writer = new ServedVectorWriter(directory, ServedPrefixes.SchemaOf(service.Program), "chaos"))
        {
            var batch = new ReadBatch(service);
            foreach (var chunk in AfterLastUs.SelectMany(after => Enumerable.Range(0, options.Users).Select(user => (AsOfUs: PurchaseStream.LastUs + after, User: user))).Chunk(RowsPerRead))
            {
                batch.Clear();
                var keys = chunk.Select(c => service.Program.Keys.Select(k => (string?)(k.Name == "user" ? PurchaseStream.User(c.User) : PurchaseStream.Shop(c.User % options.Shops))).ToArray()).ToList();
                for (var i = 0; i < chunk.Length; i++)
                    batch.Add(chunk[i].AsOfUs, keys[i]);
                await reader.ReadAsync(batch, cancellationToken);
                for (var i = 0; i < chunk.Length; i++)
                    writer.Append(chunk[i].AsOfUs, null, keys[i], Positions(batch, i), batch.Row(i));
            }
        }

        return ParityRunner.Run(catalog, new ParityOptions { Service = ChaosCatalog.Service, Archive = Archive, Served = directory }, cancellationToken: cancellationToken);
    }

    /// <summary>As kept with the commits, beside what the archive gives.</summary>
    public async Task<IReadOnlyList<LedgerLine>> LedgersAsync(CancellationToken cancellationToken) =>
        LedgerRunner.Compare(catalog, Archive, await LedgerRunner.KeptAsync(catalog, store, cancellationToken), cancellationToken);

    /// <summary>Gaps and overlaps between the archive's files.</summary>
    public IReadOnlyList<string> ArchiveFaults(IReadOnlyList<PartitionId> partitions)
    {
        var faults = new List<string>();
        var layout = new ArchiveLayout(Archive);
        foreach (var partition in partitions)
        {
            var next = 0L;
            foreach (var file in layout.Files(partition))
            {
                if (file.FirstOffset != next)
                    faults.Add($"{partition}: a file starts at {file.FirstOffset}, the one before it ends before {next}");
                next = file.LastOffset + 1;
            }
        }

        return faults;
    }

    /// <summary>Records of the log's dead-letter topic, and of how many different records of the log they tell: a crash before a commit sends some again.</summary>
    public (long Sent, long Different) DeadLetters(KafkaEndpoint kafka, string topic, Func<PartitionId, long> endOf)
    {
        using var source = new KafkaConsumerFactory(kafka).CreateManagedSource();
        using var batch = new RawRecordBatch();
        var letters = LogNames.DeadLetterTopic(topic);
        var left = Enumerable.Range(0, options.Partitions).Select(p => new PartitionId(letters, p)).ToDictionary(p => p, endOf);
        source.Assign([.. left.Keys.Select(p => new PartitionStart(p, PartitionStart.Beginning))]);
        var different = new HashSet<(string, string)>();
        var sent = 0L;
        while (left.Values.Any(end => end > 0))
        {
            source.TryReadBatch(batch, TimeSpan.FromMilliseconds(100));
            foreach (var run in batch.Runs)
            {
                for (var row = run.First; row < run.First + run.Count; row++, sent++)
                {
                    different.Add((Header(batch, row, "source-partition"), Header(batch, row, "source-offset")));
                    if (batch.Records[row].Offset + 1 >= left[run.Partition])
                        left[run.Partition] = 0;
                }
            }

            foreach (var end in batch.Ends.Where(e => e.Offset >= left[e.Partition]))
                left[end.Partition] = 0;
        }

        return (sent, different.Count);
    }

    private static string Header(RawRecordBatch batch, int row, string name) =>
        batch.TryGetHeader(row, System.Text.Encoding.ASCII.GetBytes(name), out var value) ? System.Text.Encoding.ASCII.GetString(value) : "";

    private static ServedPosition[] Positions(ReadBatch batch, int request)
    {
        var positions = new ServedPosition[batch.Service.Views.Count];
        for (var view = 0; view < positions.Length; view++)
        {
            ref readonly var answer = ref batch.Answer(request, view);
            positions[view] = new ServedPosition(answer.Partition, answer.NextOffset, answer.WatermarkUs);
        }

        return positions;
    }
}
