using StreamMl.Infrastructure.Tables;
using StreamMl.ModelEngine.Metrics;
using StreamMl.Shared.Events;

namespace StreamMl.Cli.Demo;

/// <summary>What one column alone tells: the share of positives per value in the training set as the score of the rows that were served.</summary>
internal static class RateBaseline
{
    private const long HourUs = 3_600_000_000;
    private const int HoursPerDay = 24;
    private const int Rows = 4096;

    /// <param name="training">Directory of the set that the rates are of.</param>
    /// <param name="served">Directory of the set that they are tried on.</param>
    /// <param name="label">Its label, a boolean.</param>
    /// <param name="column">A text, or a time whose hour of the day counts.</param>
    /// <param name="hour">Whether it is a time.</param>
    /// <returns>ROC-AUC.</returns>
    public static double Auc(string training, string served, string label, string column, bool hour)
    {
        var rates = Read(training, label, column, hour).GroupBy(r => r.Value, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Average(r => r.Label ? 1.0 : 0), StringComparer.Ordinal);
        var rows = Read(served, label, column, hour).ToList();
        return RankingMetrics.RocAuc(rows.Select(r => rates.GetValueOrDefault(r.Value)).ToArray(), rows.Select(r => r.Label).ToArray());
    }

    private static IEnumerable<(string Value, bool Label)> Read(string directory, string label, string column, bool hour)
    {
        foreach (var file in Directory.EnumerateFiles(directory, "part-*.arrow").Order(StringComparer.Ordinal))
        {
            using var reader = new ArrowTableReader(file);
            var batch = new EventBatch(reader.Schema, Rows);
            while (reader.Read(batch, Rows))
            {
                var (values, labels) = (batch.Column(column), batch.Column(label));
                for (var i = 0; i < batch.Count; i++)
                    yield return (hour ? (values.Lanes[i] / HourUs % HoursPerDay).ToString(System.Globalization.CultureInfo.InvariantCulture) : batch.Arena.GetString(values.Lanes[i]), labels.Lanes[i] != 0);
            }
        }
    }
}
