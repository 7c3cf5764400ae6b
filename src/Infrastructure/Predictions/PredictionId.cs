using System.Globalization;
using System.Text;
using StreamMl.Shared.Log;
using StreamMl.Shared.Models;

namespace StreamMl.Infrastructure.Predictions;

/// <summary>
/// Names a prediction that an event caused: the model's version and the event's position, as <c>late@0123456789abcdef/flight-schedules/3/1042</c>. The same event
/// and model give the same id.
/// </summary>
/// <param name="Model">Which version of which model.</param>
/// <param name="Trigger">The event's topic and partition.</param>
/// <param name="Offset">The event's offset.</param>
public readonly record struct PredictionId(ModelVersion Model, PartitionId Trigger, long Offset)
{
    /// <exception cref="FormatException">Not such an id.</exception>
    public static PredictionId Parse(string text) => TryParse(text, out var id)
        ? id
        : throw new FormatException($"'{text}' is no prediction id; one looks like model@version/topic/partition/offset");

    public static bool TryParse(string text, out PredictionId id)
    {
        id = default;
        var parts = text.Split('/');
        if (parts.Length != 4 || parts[0].IndexOf('@') is not (> 0 and var at) || !ModelNames.IsVersion(parts[0][(at + 1)..])
            || !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
            || !long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
        {
            return false;
        }

        id = new PredictionId(new ModelVersion(parts[0][..at], parts[0][(at + 1)..]), new PartitionId(parts[1], partition), offset);
        return true;
    }

    /// <summary>What the id starts with, up to the partition: the rest is "partition/offset".</summary>
    public static byte[] Prefix(ModelVersion model, string triggerTopic) => Encoding.UTF8.GetBytes($"{model}/{triggerTopic}/");

    public override string ToString() => $"{Model}/{Trigger.Topic}/{Trigger.Partition}/{Offset}";
}
