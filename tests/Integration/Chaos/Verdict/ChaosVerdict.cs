using StreamMl.BatchBackfill.Ledger;
using StreamMl.BatchBackfill.Parity;
using StreamMl.BatchBackfill.Spines;
using StreamMl.Infrastructure.Archive;
using StreamMl.Integration.Tests.Chaos.Flow;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Store;

namespace StreamMl.Integration.Tests.Chaos.Verdict;

/// <summary>What is left of the promise when all has come to rest: every value against the backfill, every ledger against the archive, every archive file against the next. One use.</summary>
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
