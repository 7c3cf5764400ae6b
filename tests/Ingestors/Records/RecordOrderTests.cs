using CsCheck;
using StreamMl.Ingestors.Records;

namespace StreamMl.Ingestors.Tests.Records;

public sealed class RecordOrderTests : IDisposable
{
    private static readonly Gen<long[]> Arrivals = Gen.Long[0, 50].Array[0, 200];
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Sorted_AnyArrivals_AreInOrderAndStable() =>
        Arrivals.Select(Gen.Int[1, 3000]).Sample((arrivals, memoryBytes) =>
        {
            using var sorted = new SortedRecords(new Listed(arrivals), folder.Path, memoryBytes);
            var rows = TestSources.ReadAll(sorted);
            rows.Select(r => (r.ArrivalUs, r.Row)).ShouldBe(arrivals.Select((a, i) => (a, (long)i)).OrderBy(x => x.a).ThenBy(x => x.Item2));
            rows.ShouldAllBe(r => r.Key == (r.Row % 4 == 0 ? null : $"k{r.Row}") && (r.Problem == null) == (r.Row % 3 != 0) && r.Value.Length == (int)r.Row);
            sorted.Dispose();
            Directory.GetFiles(folder.Path).ShouldBeEmpty();
        }, iter: 200, threads: 1);

    [Fact]
    public void Merge_AnySortedSources_GivesTheirOrderedUnion() =>
        Arrivals.Array[1, 5].Sample(sources =>
        {
            var sorted = sources.Select(s => s.Order().ToArray()).ToArray();
            using var merge = new RecordMerge([.. sorted.Select(s => new Listed(s))]);
            var rows = new List<(long, int, long)>();
            while (merge.MoveNext())
                rows.Add((merge.ArrivalTimeUs, merge.Source, merge.Block.Row(merge.Index)));
            rows.ShouldBe(sorted.SelectMany((s, i) => s.Select((a, r) => (a, i, (long)r))).Order());
        }, iter: 200);

    private sealed class Listed(long[] arrivals) : IRecordStream
    {
        private int next;

        public bool Read(RecordBlock block)
        {
            block.Clear();
            for (; next < arrivals.Length && block.Count < 7; next++)
            {
                var key = System.Text.Encoding.UTF8.GetBytes($"k{next}");
                block.AddWhole(arrivals[next], next, key, next % 4 != 0, new byte[next], next % 3 == 0 ? new BadRow($"f:{next}", "bad") : null);
            }

            return block.Count > 0;
        }

        public void Dispose()
        {
        }
    }
}
