using System.Reactive;
using System.Reactive.Subjects;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Events;

namespace StreamMl.Benchmarks.Tiles;

/// <summary>
/// What Rx costs around the tile update: batches of a stream's size pushed through a subject, an operator and a subscriber that awaits its
/// work, as a partition's pipeline in StreamFeatures is composed, against the same calls in a loop.
/// </summary>
internal static class RxComposition
{
    private const int SliceRows = 4_096;

    /// <summary>CPU seconds of the loop alone.</summary>
    public static double MeasureBare(List<EventBatch> batches)
    {
        using var target = new Target(batches[0].Schema);
        var before = TileUpdateBenchmark.Cpu();
        foreach (var batch in batches)
        {
            for (var from = 0; from < batch.Count; from += SliceRows)
                target.Apply(batch, from, Math.Min(from + SliceRows, batch.Count));
        }

        return TileUpdateBenchmark.Cpu() - before;
    }

    /// <summary>CPU seconds of the same, composed.</summary>
    public static double MeasureComposed(List<EventBatch> batches)
    {
        using var target = new Target(batches[0].Schema);
        using var slices = new Subject<Slice>();
        var applying = Task.CompletedTask;
        using var subscription = new Operator(slices).Subscribe(slice => applying = ApplyAsync(target, slice));
        var before = TileUpdateBenchmark.Cpu();
        PumpAsync().GetAwaiter().GetResult();
        return TileUpdateBenchmark.Cpu() - before;

        async Task PumpAsync()
        {
            foreach (var batch in batches)
            {
                for (var from = 0; from < batch.Count; from += SliceRows)
                {
                    slices.OnNext(new Slice(batch, from, Math.Min(from + SliceRows, batch.Count)));
                    await applying;
                }
            }
        }
    }

    private static async Task ApplyAsync(Target target, Slice slice)
    {
        target.Apply(slice.Batch, slice.From, slice.To);
        await Task.CompletedTask;
    }

    private readonly record struct Slice(EventBatch Batch, int From, int To);

    /// <summary>Stands where the decoder is, and passes on.</summary>
    private sealed class Operator(IObservable<Slice> source) : ObservableBase<Slice>
    {
        protected override IDisposable SubscribeCore(IObserver<Slice> observer) => source.Subscribe(new Pass(observer));

        private sealed class Pass(IObserver<Slice> downstream) : IObserver<Slice>
        {
            public void OnNext(Slice value) => downstream.OnNext(value);

            public void OnError(Exception error) => downstream.OnError(error);

            public void OnCompleted() => downstream.OnCompleted();
        }
    }

    private sealed class Target : IDisposable
    {
        private readonly ViewStates states;
        private readonly ViewInput input;
        private readonly int[] ids = new int[1 << 16];
        private readonly RowOutcome[] outcomes = new RowOutcome[1 << 16];
        private EventBatch? bound;

        public Target(EventSchema schema)
        {
            var program = ViewProgram.Compile(TileUpdateBenchmark.View(), TileUpdateBenchmark.Source());
            states = new ViewStates(program);
            input = new ViewInput(program, schema);
        }

        public void Apply(EventBatch batch, int fromRow, int toRow)
        {
            if (bound != batch)
                input.Bind(bound = batch);
            states.InternBatch(input, fromRow, toRow, ids);
            states.Apply(input, fromRow, toRow, ids, outcomes);
        }

        public void Dispose() => states.Dispose();
    }
}
