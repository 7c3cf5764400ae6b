using System.IO.Hashing;
using StreamMl.Infrastructure.TrainingSets;
using StreamMl.ModelEngine.Sampling;
using StreamMl.Shared.Time;
using StreamMl.Training.Data;

namespace StreamMl.Training.Splits;

/// <summary>Splits a training set. Pure; decided by the options and the seed.</summary>
public static class Splitter
{
    /// <param name="set">The set.</param>
    /// <param name="labels">Label of every row; rows with NaN are left out.</param>
    /// <exception cref="TrainingException">The options do not fit the set, or a part has no rows.</exception>
    public static DataSplit Split(TrainingSet set, double[] labels, SplitOptions options, long seed)
    {
        var work = new Work(set, labels, options, seed);
        var split = options.Kind == SplitKind.Time ? work.ByTime() : work.ByChance();
        foreach (var part in split.Parts.Where(p => p.Rows.Length == 0))
        {
            throw new TrainingException(
                $"the {part.Name} part of the split has no rows{(work.FirstUs <= work.LastUs ? $": the set has {set.Rows} rows from {TimeGrid.Format(work.FirstUs)} to {TimeGrid.Format(work.LastUs)}" : "")}. "
                + "Set split.validation and split.test to times within, or leave them out and give shares: train: 0.7, validation: 0.15");
        }

        return split;
    }

    private sealed class Work
    {
        private readonly TrainingSet set;
        private readonly double[] labels;
        private readonly SplitOptions options;
        private readonly long seed;
        private readonly long[] times;
        private readonly SortedDictionary<string, long> leftOut = new(StringComparer.Ordinal);
        private readonly List<int>[] parts = [[], [], []];
        private readonly List<string> warnings = [];

        public Work(TrainingSet set, double[] labels, SplitOptions options, long seed)
        {
            (this.set, this.labels, this.options, this.seed) = (set, labels, options, seed);
            var column = set.ColumnOfRole(ColumnRoles.Time);
            times = column < 0 ? throw new TrainingException($"the training set in {set.Directory} has no time column: make it again by `streamml backfill`") : set.Lanes(column, long.MinValue);
            FirstUs = times.Length == 0 ? 0 : times.Min();
            LastUs = times.Length == 0 ? -1 : times.Max();
        }

        public long FirstUs { get; }

        public long LastUs { get; }

        public DataSplit ByTime()
        {
            var (validationUs, testUs) = Boundaries();
            var (fromUs, toUs) = (Micros(options.TrainFrom) ?? long.MinValue, Micros(options.TestTo) ?? long.MaxValue);
            var known = KnownAt();
            for (var row = 0; row < times.Length; row++)
            {
                var time = times[row];
                var endUs = time < validationUs ? validationUs : time < testUs ? testUs : long.MaxValue;
                if (double.IsNaN(labels[row]))
                    LeaveOut("no label");
                else if (time < fromUs)
                    LeaveOut("before split.trainFrom");
                else if (time >= toUs)
                    LeaveOut("from split.testTo on");
                else if (known[row] >= endUs)
                    LeaveOut($"gap: the label was not known when the {(endUs == testUs ? "test" : "validation")} part began");
                else
                    parts[time < validationUs ? 0 : time < testUs ? 1 : 2].Add(row);
            }

            return Done();
        }

        public DataSplit ByChance()
        {
            if (options.ValidationFrom is not null || options.TestFrom is not null)
                throw new TrainingException($"split.by is {options.Kind.ToString().ToLowerInvariant()} and the split has dates: take by: time, or give shares (train: 0.7, validation: 0.15)");
            CheckShares();
            var keys = options.Kind == SplitKind.Entity ? EntityColumns() : [];
            warnings.Add(options.Kind == SplitKind.Entity
                ? "Split by entity: rows of one time are on both sides, so what happened to everybody at once is known to the model before it is tested on it. A split by time says more about serving."
                : "Split by chance, as asked: rows of one time and one entity are on both sides, so the test flatters the model. Use it for comparisons only; a split by time says how it will serve.");
            for (var row = 0; row < times.Length; row++)
            {
                if (double.IsNaN(labels[row]))
                {
                    LeaveOut("no label");
                    continue;
                }

                var unit = options.Kind == SplitKind.Entity ? SeededRandom.MixToUnit((ulong)seed, KeyOf(row, keys)) : SeededRandom.MixToUnit((ulong)seed, (ulong)row);
                parts[unit < options.Train ? 0 : unit < options.Train + options.Validation ? 1 : 2].Add(row);
            }

            return Done();
        }

        private (long ValidationUs, long TestUs) Boundaries()
        {
            if (options.ValidationFrom is { } validation && options.TestFrom is { } test)
            {
                return validation < test
                    ? (Micros(validation)!.Value, Micros(test)!.Value)
                    : throw new TrainingException($"split.validation begins at {validation:u} and split.test at {test:u}: validation lies before the test");
            }

            if (options.ValidationFrom is not null || options.TestFrom is not null)
                throw new TrainingException($"the split has {(options.TestFrom is null ? "validation and no test" : "test and no validation")} date: give both, or neither");
            CheckShares();
            var (from, to) = (Micros(options.TrainFrom) ?? long.MinValue, Micros(options.TestTo) ?? long.MaxValue);
            long[] sorted = [.. times.Where((t, i) => t >= from && t < to && !double.IsNaN(labels[i])).Order()];
            if (sorted.Length < 3)
                throw new TrainingException($"{sorted.Length} rows with a label are between split.trainFrom and split.testTo: a split needs more");
            return (sorted[(int)(sorted.Length * options.Train)], sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * (options.Train + options.Validation)))]);
        }

        /// <summary>When each row's label could first be known, the declared gap included.</summary>
        private long[] KnownAt()
        {
            var column = set.ColumnOfRole(ColumnRoles.LabelTime);
            if (column < 0 && options.Gap is null)
            {
                warnings.Add("The set does not say when each label was known, and split.gap is not set: training rows just before the validation part may have labels that were not known yet. Backfill it with --label, or set split.gap to the label's delay.");
                return times;
            }

            var gapUs = (long)(options.Gap ?? TimeSpan.Zero).TotalMicroseconds;
            var known = column < 0 ? new long[times.Length] : set.Lanes(column, long.MinValue);
            for (var i = 0; i < known.Length; i++)
                known[i] = Math.Max(known[i], times[i] + gapUs);
            return known;
        }

        private void CheckShares()
        {
            if (!(options.Train > 0 && options.Validation > 0 && options.Train + options.Validation < 1))
                throw new TrainingException($"split.train is {options.Train} and split.validation {options.Validation}: both must be more than 0, and together less than 1, since the rest is the test");
        }

        private int[] EntityColumns() => options.Entity.Count > 0
            ? [.. options.Entity.Select(e => set.RequireColumn(e, "split.entity"))]
            : throw new TrainingException("split.by is entity and split.entity names no columns: write entity: [customer_id]");

        private ulong KeyOf(int row, int[] keys)
        {
            var chunk = set.ChunkOf(row, null);
            var hash = new XxHash64(seed);
            foreach (var key in keys)
            {
                ref readonly var cell = ref chunk.Columns[key];
                var at = row - chunk.FirstRow;
                if (!cell.IsValid(at))
                    hash.Append([0]);
                else if (cell.Type == Shared.Events.FieldType.String)
                    hash.Append(cell.Text(at));
                else
                    hash.Append(BitConverter.GetBytes(cell.Lane(at)));
                hash.Append([255]);
            }

            return hash.GetCurrentHashAsUInt64();
        }

        private DataSplit Done() => new(Part("train", 0), Part("validation", 1), Part("test", 2), leftOut, warnings);

        private SplitPart Part(string name, int index)
        {
            int[] rows = [.. parts[index]];
            return new SplitPart(name, rows, rows.Length == 0 ? null : rows.Min(r => times[r]), rows.Length == 0 ? null : rows.Max(r => times[r]));
        }

        private void LeaveOut(string reason) => leftOut[reason] = leftOut.GetValueOrDefault(reason) + 1;

        private static long? Micros(DateTimeOffset? time) => time is { } t ? t.ToUnixTimeMilliseconds() * 1_000 : null;
    }
}
