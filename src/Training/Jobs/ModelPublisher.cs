using System.Text;
using StreamMl.Infrastructure.Models;
using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Profiles;
using StreamMl.ModelEngine.Sampling;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;
using StreamMl.Training.Data;
using StreamMl.Training.Evaluation;
using StreamMl.Training.Reports;

namespace StreamMl.Training.Jobs;

/// <summary>Puts a trained model into the registry: the scoring document, golden rows, profiles, metrics, report. No time of the run is in it, so the same training gives the same version.</summary>
public static class ModelPublisher
{
    /// <summary>The report as JSON, beside <see cref="ModelFiles.Report"/>.</summary>
    public const string ReportJson = "report.json";

    /// <param name="runId">What finds the tracked run: its <see cref="Tracking.TrainingId"/>; null where it was not tracked. It is part of the model's content, and so of its version.</param>
    public static async Task<ModelVersion> PublishAsync(ModelStore store, string name, TrainedRun run, string? runId, ChangeNote? note, CancellationToken cancellationToken)
    {
        using var draft = store.Begin(Manifest(name, run, runId));
        draft.Card = run.Data.Config.Card;
        draft.Write(ModelFiles.Model, run.Model.Document.Write());
        draft.Write(ModelFiles.Metrics, run.Metrics.ToJson());
        draft.Write(ModelFiles.Profile, PipelineJson.Write(ProfileOf(run)));
        var report = Report(run, name);
        draft.Write(ModelFiles.Report, Encoding.UTF8.GetBytes(HtmlReport.Render(report)));
        draft.Write(ReportJson, report.ToJson());
        Golden(run).Save(draft.PathOf(ModelFiles.Golden));
        return await store.PublishAsync(draft, note, cancellationToken);
    }

    /// <summary>The figures of the report.</summary>
    public static TrainingReport Report(TrainedRun run, string name) => ReportBuilder.Build(run, name);

    private static ModelManifest Manifest(string name, TrainedRun run, string? runId)
    {
        var (set, config) = (run.Data.Set, run.Data.Config);
        return new ModelManifest
        {
            Name = name,
            Task = config.Task.ToString(),
            Service = set.Manifest.Service,
            ServiceHash = set.Manifest.ServiceHash,
            Inputs = [.. run.Model.Inputs.Select(i => new ModelInputColumn(i.Name, i.Type.ToString(), i.Origin.ToString()))],
            Label = run.Data.Labels.Name,
            Classes = config.Task == ModelTask.Multiclass ? run.Data.Labels.Classes : [],
            Lineage = new ModelLineage
            {
                TrainingManifestHash = set.ManifestHash,
                RunId = runId,
                GitCommit = run.GitCommit,
                Seed = config.Seed,
                Config = config.TextAsRun(),
            },
        };
    }

    /// <summary>What every input, and the score, was like on the training part.</summary>
    private static Profile ProfileOf(TrainedRun run)
    {
        var data = run.Data;
        var inputs = Profile.Reference(new TrainingRows(data.Set, run.Model.Inputs, data.Split.Train.Rows, data.Labels.Values), data.Config.Seed);
        // Of scores those of rows that the model was not trained on: on its own rows it is too sure.
        var scores = ModelScores.Of(run.Model, data.Validation);
        return run.Model.Outputs == 1 ? new Profile([.. inputs.Columns, Profile.Reference(ScoreColumn, scores)]) : inputs;
    }

    /// <summary>Name of the score's column in the profile.</summary>
    public const string ScoreColumn = "score";

    private static GoldenRows Golden(TrainedRun run)
    {
        var (data, model) = (run.Data, run.Model);
        var test = data.Split.Test.Rows;
        var sample = Samples.Random(test.Length, Math.Min(GoldenRows.DefaultRows, test.Length), data.Config.Seed);
        var batch = new EventBatch(new EventSchema("golden", [.. model.Inputs.Select(i => new EventField(i.Name, i.Type, Nullable: true))]), sample.Length);
        var (reader, scorer, scores) = (new SetRowReader(data.Set, model.Inputs), model.NewScorer(), new double[sample.Length * model.Outputs]);
        for (var i = 0; i < sample.Length; i++)
        {
            reader.Read(test[sample[i]]);
            scorer.Score(reader.Row, scores.AsSpan(i * model.Outputs, model.Outputs));
            Append(reader.Row, batch, model.Inputs);
        }

        return new GoldenRows(batch, scores, model.Outputs);
    }

    private static void Append(Shared.Features.FeatureRow row, EventBatch batch, IReadOnlyList<ModelInput> inputs)
    {
        var at = batch.NextRow();
        for (var c = 0; c < inputs.Count; c++)
        {
            if (row.Valid[c] == 0)
                batch.Columns[c].SetNull(at);
            else
                batch.Columns[c].Set(at, inputs[c].Type == FieldType.String ? batch.Arena.Append(row.Arena.Slice(row.Lanes[c])) : row.Lanes[c]);
        }

        batch.Count = at + 1;
    }
}
