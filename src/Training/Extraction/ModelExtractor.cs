using System.Reflection;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;
using StreamMl.ModelEngine.Scoring;

namespace StreamMl.Training.Extraction;

/// <summary>
/// Turns the parameters of a trained ML.NET model into a predictor of our own: LightGBM, FastTree and FastForest (binary, multiclass as one against the rest or by
/// softmax, regression), SDCA and L-BFGS (binary, multiclass, regression). A sigmoid that ML.NET trained or fixed is folded into scale and bias. Pure; thread-safe.
/// </summary>
public static class ModelExtractor
{
    private const BindingFlags Hidden = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;

    /// <param name="parameters">The <c>Model</c> of a prediction transformer.</param>
    /// <param name="layout">How the vectors that it was trained on were laid out.</param>
    /// <exception cref="NotSupportedException">A kind of model that is not listed above.</exception>
    public static ExtractedModel Extract(object parameters, FeatureLayout layout)
    {
        var gains = new double[layout.Slots.Count];
        var (predictor, link) = parameters switch
        {
            OneVersusAllModelParameters model => OneVersusAll(model, layout, gains),
            LinearMulticlassModelParametersBase model => (Multiclass(model, layout, gains), ModelLink.Softmax),
            _ => One(parameters, layout, gains),
        };
        return new ExtractedModel(predictor, link, gains);
    }

    // A model of one output, and whether a sigmoid makes a probability of it.
    private static (Predictor Predictor, ModelLink Link) One(object parameters, FeatureLayout layout, double[] gains) =>
        Calibrated(parameters) is var (model, sigmoid) ? Function(model, sigmoid, layout, gains) : Function(parameters, null, layout, gains);

    private static object Uncalibrated(object parameters) => Calibrated(parameters)?.Model ?? parameters;

    /// <summary>A model with ML.NET's sigmoid, taken apart. Its type does not always say what is inside: one-versus-all wraps members without probabilities, as forests are, in a type of its own.</summary>
    private static (object Model, PlattCalibrator Sigmoid)? Calibrated(object parameters)
    {
        for (var type = parameters.GetType(); type is not null; type = type.BaseType)
        {
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(CalibratedModelParametersBase<,>))
                return Member(type, "Calibrator", parameters) is PlattCalibrator sigmoid && Member(type, "SubModel", parameters) is { } model ? (model, sigmoid) : null;
        }

        return null;
    }

    private static object? Member(Type type, string name, object of) => type.GetProperty(name, Hidden | BindingFlags.DeclaredOnly)?.GetValue(of);

    private static (Predictor Predictor, ModelLink Link) Function(object parameters, PlattCalibrator? sigmoid, FeatureLayout layout, double[] gains)
    {
        // ML.NET's is 1 / (1 + exp(slope * score + offset)).
        var (scale, offset) = sigmoid is null ? (1.0, 0.0) : (-sigmoid.Slope, -sigmoid.Offset);
        Predictor predictor = parameters switch
        {
            // Named one by one: a Tweedie or Poisson model's score is the exponential of its function.
            LightGbmBinaryModelParameters or LightGbmRegressionModelParameters or FastTreeBinaryModelParameters or FastTreeRegressionModelParameters
                when parameters is TreeEnsembleModelParametersBasedOnRegressionTree m => new TreePredictor(TreeExtractor.Extract(m.TrainedTreeEnsemble, layout, scale, offset, gains)),
            // A regression forest answers the mean of its trees, a binary one their sum.
            FastForestRegressionModelParameters m => new TreePredictor(TreeExtractor.Extract(m.TrainedTreeEnsemble, layout, 1.0 / m.TrainedTreeEnsemble.Trees.Count, 0, gains)),
            FastForestBinaryModelParameters m => new TreePredictor(TreeExtractor.Extract(m.TrainedTreeEnsemble, layout, scale, offset, gains)),
            LinearBinaryModelParameters or LinearRegressionModelParameters when parameters is LinearModelParameters m => new LinearPredictor([LinearExtractor.Extract(m.Weights, m.Bias, layout, scale, offset, gains)]),
            _ => throw Unsupported(parameters),
        };
        return (predictor, sigmoid is null ? ModelLink.Identity : ModelLink.Sigmoid);
    }

    private static (Predictor Predictor, ModelLink Link) OneVersusAll(OneVersusAllModelParameters model, FeatureLayout layout, double[] gains)
    {
        var (formula, parameters) = Inside(model);
        var link = formula switch
        {
            "Softmax" => ModelLink.Softmax,
            "ProbabilityNormalization" => ModelLink.OneVersusRest,
            _ => throw new NotSupportedException($"a one-versus-all model with the output formula {formula} gives no probabilities: train it with probabilities"),
        };
        // Softmax is taken of the members' scores before their sigmoids.
        var members = parameters.Select(m => link == ModelLink.Softmax ? Function(Uncalibrated(m), null, layout, gains) : One(m, layout, gains)).ToArray();
        if (link == ModelLink.OneVersusRest && members.Any(m => m.Link != ModelLink.Sigmoid))
            throw new NotSupportedException("a one-versus-all model's members have no sigmoid: train them with probabilities");
        Predictor predictor = members[0].Predictor is TreePredictor
            ? new TreePredictor([.. members.SelectMany(m => ((TreePredictor)m.Predictor).Functions)])
            : new LinearPredictor([.. members.SelectMany(m => ((LinearPredictor)m.Predictor).Functions)]);
        return (predictor, link);
    }

    private static LinearPredictor Multiclass(LinearMulticlassModelParametersBase model, FeatureLayout layout, double[] gains)
    {
        if (model is not MaximumEntropyModelParameters)
            throw Unsupported(model);
        VBuffer<float>[] weights = [];
        model.GetWeights(ref weights, out var classes);
        var biases = model.GetBiases().ToArray();
        return new LinearPredictor([.. Enumerable.Range(0, classes).Select(k => LinearExtractor.Extract(LinearExtractor.Dense(weights[k]), biases[k], layout, 1, 0, gains))]);
    }

    // Its members, and the formula that makes scores of theirs, are known to the model alone.
    private static (string Formula, IEnumerable<object> Members) Inside(OneVersusAllModelParameters model)
    {
        var inner = typeof(OneVersusAllModelParameters).GetField("_impl", Hidden)?.GetValue(model);
        return inner?.GetType().GetField("OutputFormula", Hidden)?.GetValue(inner) is { } formula && inner.GetType().GetProperty("Predictors", Hidden)?.GetValue(inner) is Array members
            ? ($"{formula}", members.Cast<object>())
            : throw new NotSupportedException($"{model.GetType().FullName} does not show its members: use the version of Microsoft.ML that this program was built with");
    }

    private static NotSupportedException Unsupported(object parameters) => new(
        $"{parameters.GetType().Name} cannot be scored: train with LightGBM, FastTree, FastForest, L-BFGS or SDCA (multiclass: its maximum entropy form)");
}
