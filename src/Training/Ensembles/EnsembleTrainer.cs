using StreamMl.ModelEngine;
using StreamMl.ModelEngine.Sampling;
using StreamMl.ModelEngine.Scoring;
using StreamMl.Training.Configuration;
using StreamMl.Training.Evaluation;
using StreamMl.Training.Jobs;
using StreamMl.Training.Trainers;

namespace StreamMl.Training.Ensembles;

/// <summary>Trains one model, or the ensemble that is declared. Pure; decided by the seed.</summary>
internal static class EnsembleTrainer
{
    public static FittedPredictor Train(TrainingData data, TrainerDefinition trainer, TrainingContext context, Action<string> progress)
    {
        if (data.Config.Ensemble is not { } ensemble)
            return FittedPredictor.Of(ModelTrainer.Train(trainer, data.Train, data.Validation, context), trainer);
        return ensemble.Kind == EnsembleKind.Bagging ? Bag(data, trainer, ensemble, context, progress) : Combine(data, ensemble, context, progress);
    }

    private static FittedPredictor Bag(TrainingData data, TrainerDefinition trainer, EnsembleOptions ensemble, TrainingContext context, Action<string> progress)
    {
        var members = new List<FittedPredictor>();
        for (var m = 0; m < ensemble.Members; m++)
        {
            progress($"member {m + 1} of {ensemble.Members}");
            var seed = (long)SeededRandom.Mix((ulong)context.Seed, (ulong)m);
            members.Add(FittedPredictor.Of(ModelTrainer.Train(trainer, data.Train, data.Validation, context with { Seed = seed }, Draw(data.Train.Count, ensemble.Share, seed)), trainer));
        }

        return new FittedPredictor(BlendPredictor.Mean([.. members.Select(m => m.Predictor)]), members[0].Link, $"bagging of {members.Count} x {trainer}", Gains(members), null);
    }

    private static FittedPredictor Combine(TrainingData data, EnsembleOptions ensemble, TrainingContext context, Action<string> progress)
    {
        var members = new List<FittedPredictor>();
        foreach (var trainer in ensemble.Trainers)
        {
            progress($"member {members.Count + 1} of {ensemble.Trainers.Count}: {trainer}");
            members.Add(FittedPredictor.Of(ModelTrainer.Train(trainer, data.Train, data.Validation, context), trainer));
        }

        var names = string.Join(" + ", ensemble.Trainers);
        return ensemble.Kind == EnsembleKind.Stack ? Stack(data, members, names) : Blend(data, members, ensemble.Weights, names);
    }

    private static FittedPredictor Blend(TrainingData data, List<FittedPredictor> members, IReadOnlyList<double> declared, string names)
    {
        if (members.Find(m => m.Link != members[0].Link) is { } odd)
            throw new TrainingException($"a blend of {names} mixes {members[0].Link} and {odd.Link} scores, whose mean says nothing: take trainers of one kind of score, or kind: stack");
        double[] weights = declared.Count > 0 ? [.. declared.Select(w => w / declared.Sum())] : GreedyWeights(data, members);
        return new FittedPredictor(new BlendPredictor([.. members.Select(m => m.Predictor)], weights), members[0].Link, $"blend of {names}, weights {string.Join(", ", weights.Select(w => w.ToString("F3")))}", Gains(members), null);
    }

    /// <summary>Steps of 5% to the member that helps most on the validation part, from the best one on (R. Caruana et al. 2004).</summary>
    private static double[] GreedyWeights(TrainingData data, List<FittedPredictor> members)
    {
        const int Steps = 20;
        var metrics = new TaskMetrics(data.Config.Task, data.Classes);
        var (raw, labels) = (members.Select(m => RawScores(data, m)).ToArray(), data.Validation.Labels());
        var chosen = new int[members.Count];
        var sum = new double[raw[0].Length];
        for (var step = 1; step <= Steps; step++)
        {
            var best = Enumerable.Range(0, members.Count).Select(m => (Member: m, Quality: Quality(m, step))).OrderByDescending(c => c.Quality).ThenBy(c => c.Member).First().Member;
            chosen[best]++;
            for (var i = 0; i < sum.Length; i++)
                sum[i] += raw[best][i];
        }

        return [.. chosen.Select(c => (double)c / Steps)];

        double Quality(int member, int step)
        {
            var mean = new double[sum.Length];
            for (var i = 0; i < mean.Length; i++)
                mean[i] = (sum[i] + raw[member][i]) / step;
            return metrics.Quality(data.Config.Task == ModelTask.Multiclass ? Softmax(mean, data.Classes) : mean, labels);
        }
    }

    private static FittedPredictor Stack(TrainingData data, List<FittedPredictor> members, string names)
    {
        if (data.Config.Task == ModelTask.Multiclass)
            throw new TrainingException("kind: stack is for the tasks binary and regression; for multiclass take kind: blend");
        var columns = members.Select(m => RawScores(data, m)).ToArray();
        var (bias, weights) = LinearMeta.Fit(columns, data.Validation.Labels(), isLogistic: data.Config.Task == ModelTask.Binary);
        var meta = new LinearFunction(bias, [.. Enumerable.Range(0, members.Count)], weights, []);
        var link = data.Config.Task == ModelTask.Binary ? ModelLink.Sigmoid : ModelLink.Identity;
        return new FittedPredictor(new StackPredictor([.. members.Select(m => m.Predictor)], [meta]), link, $"stack of {names}", Gains(members), null);
    }

    private static double[] RawScores(TrainingData data, FittedPredictor member) => ModelScores.RawOf(ModelAssembly.Uncalibrated(data, member), data.Validation);

    private static double[] Softmax(double[] raw, int classes)
    {
        var scores = new double[raw.Length];
        for (var row = 0; row < raw.Length; row += classes)
        {
            var greatest = raw.AsSpan(row, classes).ToArray().Max();
            var total = 0.0;
            for (var k = row; k < row + classes; k++)
                total += scores[k] = Math.Exp(raw[k] - greatest);
            for (var k = row; k < row + classes; k++)
                scores[k] /= total;
        }

        return scores;
    }

    private static double[] Gains(List<FittedPredictor> members)
    {
        var gains = new double[members[0].Gain.Count];
        foreach (var member in members)
        {
            var total = member.Gain.Sum();
            for (var s = 0; s < gains.Length && total > 0; s++)
                gains[s] += member.Gain[s] / total / members.Count;
        }

        return gains;
    }

    /// <summary>Rows with replacement, in order.</summary>
    private static int[] Draw(int count, double share, long seed)
    {
        var random = new SeededRandom(seed);
        var rows = new int[Math.Max(1, (int)(count * share))];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = random.Next(count);
        Array.Sort(rows);
        return rows;
    }
}
