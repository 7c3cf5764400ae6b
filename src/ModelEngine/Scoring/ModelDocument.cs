using System.Text.Json;
using StreamMl.ModelEngine.Calibration;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Models;

namespace StreamMl.ModelEngine.Scoring;

/// <summary>
/// A model as it is kept in <c>model.json</c>: everything that scoring needs and nothing else. The same model always gives the same bytes, and doubles come back
/// as they were. Immutable.
/// </summary>
/// <param name="Format">Always <see cref="FormatName"/>.</param>
/// <param name="Version">Version of the format, from 1; this code reads up to <see cref="NewestVersion"/>.</param>
/// <param name="Classes">
/// Names of the classes: of a binary model the negative one, then the positive one; of a multiclass model one per score, in order; none of a regression.
/// </param>
/// <param name="DecisionThreshold">A binary model's least score that is decided positive; not read otherwise.</param>
/// <param name="Pipeline">The fitted steps, whose inputs are the model's.</param>
/// <param name="Predictor">From slots to raw scores.</param>
/// <param name="Link">From raw scores to scores.</param>
/// <param name="Calibration">A binary model's last step, fitted on the scores that the link gives; null for none.</param>
public sealed record ModelDocument(
    string Format,
    int Version,
    ModelTask Task,
    IReadOnlyList<string> Classes,
    double DecisionThreshold,
    PipelineDocument Pipeline,
    Predictor Predictor,
    ModelLink Link,
    Calibrator? Calibration = null)
{
    public const string FormatName = "streamml-model";
    public const int NewestVersion = 1;

    /// <summary>A document of the newest version.</summary>
    public static ModelDocument Create(
        ModelTask task, PipelineDocument pipeline, Predictor predictor, ModelLink link, IReadOnlyList<string> classes, double decisionThreshold = 0.5, Calibrator? calibration = null) =>
        new(FormatName, NewestVersion, task, classes, decisionThreshold, pipeline, predictor, link, calibration);

    /// <summary>The bytes of <c>model.json</c>: UTF-8, a line feed at the end.</summary>
    public byte[] Write() => [.. PipelineJson.Write(this), (byte)'\n'];

    /// <param name="utf8">The bytes of <c>model.json</c>.</param>
    /// <param name="source">Where it stands, for messages.</param>
    /// <exception cref="ModelException">It is damaged, newer than this code, or does not fit together; the message names the value, the limit and the remedy.</exception>
    public static ModelDocument Read(ReadOnlySpan<byte> utf8, string source)
    {
        try
        {
            // The version first: a newer document may have members that this code cannot know.
            var version = VersionOf(utf8);
            if (version is < 1 or > NewestVersion)
                throw new ModelException($"it is of version {version}, and this program reads 1 to {NewestVersion}: score it with the program that wrote it or a newer one, or train it again with this one");
            var document = PipelineJson.Read<ModelDocument>(utf8);
            ModelDocumentChecks.Check(document);
            return document;
        }
        catch (Exception e) when (e is JsonException or ModelException or NotSupportedException or PipelineException or ArgumentException)
        {
            throw new ModelException($"{source}: {e.Message}{(e is ModelException or PipelineException ? "" : " The document is damaged: restore it from a copy, or train the model again.")}");
        }
    }

    private static int VersionOf(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8);
        using var json = JsonDocument.ParseValue(ref reader);
        var root = json.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("format", out var format) || format.ValueKind != JsonValueKind.String || format.GetString() != FormatName)
            throw new JsonException($"it has no \"format\": \"{FormatName}\".");
        if (!root.TryGetProperty("version", out var version) || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out var number))
            throw new JsonException("its version is no whole number.");
        if (number <= NewestVersion)
            RefuseNulls(root);
        return number;
    }

    // No list of a model holds a null, and the types that are read cannot say so.
    private static void RefuseNulls(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in element.EnumerateObject())
                RefuseNulls(member.Value);
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Null)
                    throw new JsonException("a list in it holds null.");
                RefuseNulls(item);
            }
        }
    }
}
