using StreamMl.Infrastructure.TrainingSets;
using StreamMl.ModelEngine;
using StreamMl.Training.Configuration;
using StreamMl.Training.Data;

namespace StreamMl.Training.Evaluation;

/// <summary>
/// What needs no model, on the same test rows: a model that does not beat them is not worth serving. Fitted on the training part alone; <c>last by</c> knows at each row
/// what was known then. Pure.
/// </summary>
internal static class Baselines
{
    // A rate over few rows is drawn towards the overall rate, as by so many rows of it.
    private const double Smoothing = 20;

    /// <returns>Scores of the test rows, one per output.</returns>
    public static double[] Score(BaselineDefinition baseline, TrainingSet set, LabelColumn labels, int[] train, int[] test, TaskMetrics metrics) => baseline.Kind switch
    {
        BaselineKind.Majority => Rates(new int[train.Length], new int[test.Length], 1, labels, train, metrics),
        BaselineKind.RateBy => RateBy(baseline, set, labels, train, test, metrics),
        _ => LastBy(baseline, set, labels, train, test, metrics),
    };

    private static double[] RateBy(BaselineDefinition baseline, TrainingSet set, LabelColumn labels, int[] train, int[] test, TaskMetrics metrics)
    {
        var column = set.RequireColumn(baseline.Column!, $"baseline '{baseline.Name}'");
        var groups = ValueGroups.Of(set, column, [.. train, .. test], baseline.IsHour);
        return Rates(groups.Ids[..train.Length], groups.Ids[train.Length..], groups.Names.Count, labels, train, metrics);
    }

    /// <summary>The mean label per group (multiclass: the share of each class).</summary>
    private static double[] Rates(int[] trainGroups, int[] testGroups, int groups, LabelColumn labels, int[] train, TaskMetrics metrics)
    {
        var width = metrics.Task == ModelTask.Multiclass ? metrics.Classes : 1;
        var (sums, counts, all) = (new double[groups * width], new double[groups], new double[width]);
        for (var i = 0; i < train.Length; i++)
        {
            counts[trainGroups[i]]++;
            for (var k = 0; k < width; k++)
            {
                var value = Value(labels.Values[train[i]], k, width);
                sums[(trainGroups[i] * width) + k] += value;
                all[k] += value / train.Length;
            }
        }

        var scores = new double[testGroups.Length * width];
        for (var i = 0; i < scores.Length; i++)
        {
            var (group, k) = (testGroups[i / width], i % width);
            scores[i] = (sums[(group * width) + k] + (Smoothing * all[k])) / (counts[group] + Smoothing);
        }

        return scores;
    }

    /// <summary>For each test row the label, of all rows, of the same key whose label was known last before the row's time; the training mean where there is none.</summary>
    private static double[] LastBy(BaselineDefinition baseline, TrainingSet set, LabelColumn labels, int[] train, int[] test, TaskMetrics metrics)
    {
        var knownColumn = set.ColumnOfRole(ColumnRoles.LabelTime);
        if (knownColumn < 0)
            throw new TrainingException($"baseline '{baseline.Name}' needs to know when each label was known, and the training set does not say: backfill it with --label, or take the baseline away");
        int[] all = [.. Enumerable.Range(0, set.Rows).Where(r => !double.IsNaN(labels.Values[r]))];
        var groups = ValueGroups.Of(set, set.RequireColumn(baseline.Column!, $"baseline '{baseline.Name}'"), all);
        var (known, times) = (set.Lanes(knownColumn, long.MaxValue), set.Lanes(set.ColumnOfRole(ColumnRoles.Time), long.MinValue));
        var groupOf = new int[set.Rows];
        for (var i = 0; i < all.Length; i++)
            groupOf[all[i]] = groups.Ids[i];
        var byKnown = all.OrderBy(r => known[r]).ToArray();
        var last = new double[groups.Names.Count];
        Array.Fill(last, double.NaN);
        var width = metrics.Task == ModelTask.Multiclass ? metrics.Classes : 1;
        var fallback = Rates(new int[train.Length], [0], 1, labels, train, metrics);
        var scores = new double[test.Length * width];
        var next = 0;
        foreach (var i in Enumerable.Range(0, test.Length).OrderBy(i => times[test[i]]))
        {
            for (; next < byKnown.Length && known[byKnown[next]] <= times[test[i]]; next++)
                last[groupOf[byKnown[next]]] = labels.Values[byKnown[next]];
            for (var k = 0; k < width; k++)
                scores[(i * width) + k] = double.IsNaN(last[groupOf[test[i]]]) ? fallback[k] : Value(last[groupOf[test[i]]], k, width);
        }

        return scores;
    }

    private static double Value(double label, int k, int width) => width == 1 ? label : label == k ? 1 : 0;
}
