using StreamMl.Infrastructure.TrainingSets;
using StreamMl.ModelEngine;
using StreamMl.Shared.Events;

namespace StreamMl.Training.Data;

/// <summary>
/// Which columns of a training set a model may read: those that it will have when it is served. Features come from the store; keys, the time and the trigger
/// event's other fields come with the trigger or the request. Never the label, nor what came with it, nor a row's position in its log. Pure.
/// </summary>
public static class ModelInputs
{
    private const string TriggerSpine = "events of ";

    // Sets made before positions had a role of their own carry them under these names.
    private static readonly string[] PositionNames = ["trigger_partition", "trigger_offset", "trigger_arrival_time"];

    /// <param name="manifest">The set's manifest.</param>
    /// <param name="label">The label's column.</param>
    /// <param name="request">
    /// Carried columns of a spine file that a caller will give when asking for a prediction. What a file carries may have come with the label, so nothing of it is taken unasked.
    /// </param>
    public static IReadOnlyList<ModelInput> Of(TrainingManifest manifest, string label, IReadOnlyCollection<string> request)
    {
        var isTrigger = manifest.Spine.StartsWith(TriggerSpine, StringComparison.Ordinal);
        if (request.FirstOrDefault(r => manifest.Columns.All(c => c.Name != r || c.Role != ColumnRoles.Carried) || r == label) is { } wrong)
            throw new TrainingException($"features.request names '{wrong}', which is no carried column of the training set: {string.Join(", ", manifest.Columns.Where(c => c.Role == ColumnRoles.Carried && c.Name != label).Select(c => c.Name))}");
        return
        [
            .. manifest.Columns.Where(c => c.Name != label && !PositionNames.Contains(c.Name))
                .Select(c => (Column: c, Origin: OriginOf(c, isTrigger, request)))
                .Where(c => c.Origin is not null)
                .Select(c => new ModelInput(c.Column.Name, Enum.Parse<FieldType>(c.Column.Type), c.Origin!.Value)),
        ];
    }

    private static InputOrigin? OriginOf(ManifestColumn column, bool isTrigger, IReadOnlyCollection<string> request) => column.Role switch
    {
        ColumnRoles.Feature => InputOrigin.Stored,
        ColumnRoles.Key or ColumnRoles.Time => InputOrigin.Request,
        ColumnRoles.Carried when isTrigger || request.Contains(column.Name) => InputOrigin.Request,
        _ => null,
    };
}
