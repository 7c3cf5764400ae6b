using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using StreamMl.ModelEngine.Calibration;
using StreamMl.ModelEngine.Scoring;
using StreamMl.ModelEngine.Tests.Trees;
using StreamMl.ModelEngine.Trees;
using StreamMl.Shared.Models;

namespace StreamMl.ModelEngine.Tests.Scoring;

public sealed class ModelDocumentTests
{
    [Fact]
    public void Write_ReadAndWrittenAgain_GivesTheSameBytesAndScores() => Gen.Int.Sample(seed =>
    {
        var random = new Random(seed);
        Predictor trees = new TreePredictor(RandomTrees.Ensemble(random, 8, 20));
        Predictor predictor = random.Next(3) switch
        {
            0 => trees,
            1 => new BlendPredictor([trees, TestModels.Linear()], [random.NextDouble(), 1.0 / 3]),
            _ => new StackPredictor([trees, TestModels.Linear()], [new LinearFunction(-0.0, [0, 1], [random.NextDouble(), double.Epsilon], [])]),
        };
        var document = TestModels.Of(ModelTask.Binary, predictor, random.Next(2) == 0 ? null : new PlattCalibrator(1.1, -0.2, PlattScale.Score));
        var bytes = document.Write();

        var read = ModelDocument.Read(bytes, "model.json");

        read.Write().ShouldBe(bytes);
        double[] a = [0], b = [0];
        var vector = RandomTrees.Vector(random);
        new ScoringModel(document).NewScorer().ScoreSlots(vector, a);
        ScoringModel.Load(bytes, "model.json").NewScorer().ScoreSlots(vector, b);
        BitConverter.DoubleToInt64Bits(b[0]).ShouldBe(BitConverter.DoubleToInt64Bits(a[0]));
    }, iter: 50);

    [Fact]
    public void Write_Trees_OneLineEach()
    {
        var text = Encoding.UTF8.GetString(TestModels.Trees(ModelTask.Regression).Write());

        text.Split('\n').Count(line => line.Contains("\"leafValues\"", StringComparison.Ordinal)).ShouldBe(12);
        text.ShouldStartWith("{\n  \"format\": \"streamml-model\",\n  \"version\": 1,");
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 2", "version 2, and this program reads 1 to 1")]
    [InlineData("\"version\": 1", "\"version\": 0", "version 0")]
    [InlineData("\"version\": 1", "\"version\": \"x\"", "whole number")]
    [InlineData("streamml-model", "other-model", "streamml-model")]
    [InlineData("\"decisionThreshold\": 0.5", "\"decisionThreshold\": 1.5", "1.5; it must be 0 to 1")]
    [InlineData("\"link\": \"sigmoid\"", "\"link\": \"softmax\"", "Softmax")]
    [InlineData("\"kind\": \"trees\"", "\"kind\": \"forest\"", "damaged")]
    [InlineData("\"task\": \"binary\"", "\"task\": \"multiclass\"", "needs 2 and 2")]
    [InlineData("\"no\",", "\"no\",\"maybe\",", "3 classes")]
    [InlineData("\"link\"", "\"lnk\"", "damaged")]
    [InlineData("\"slots\":[", "\"slots\":[9,", "thresholds")]
    [InlineData("\"leafValues\":[", "\"leafValues\":[\"NaN\",", "leaves")]
    public void Read_DamagedOrNewer_NamesFileValueAndRemedy(string part, string damaged, string named)
    {
        var text = Encoding.UTF8.GetString(TestModels.Trees(ModelTask.Binary).Write());
        text.ShouldContain(part);
        var at = text.IndexOf(part, StringComparison.Ordinal);
        var bytes = Encoding.UTF8.GetBytes($"{text[..at]}{damaged}{text[(at + part.Length)..]}");

        var message = Should.Throw<ModelException>(() => ModelDocument.Read(bytes, "m/model.json")).Message;

        message.ShouldStartWith("m/model.json: ");
        message.ShouldContain(named);
        message.ShouldContain("train");
    }

    [Fact]
    public void Read_Truncated_IsRefused()
    {
        var bytes = TestModels.Trees(ModelTask.Binary).Write();
        foreach (var length in new[] { 0, 1, bytes.Length / 2, bytes.Length - 3 })
            Should.Throw<ModelException>(() => ModelDocument.Read(bytes.AsSpan(0, length), "model.json"));
    }

    [Fact]
    public void Read_AnyPartReplaced_IsReadOrRefusedAndNothingElse()
    {
        var predictor = new StackPredictor([new TreePredictor(RandomTrees.Ensemble(new Random(2), 3, 6)), TestModels.Linear()], [new LinearFunction(0, [0, 1], [1, 1], [])]);
        var text = Encoding.UTF8.GetString(TestModels.Of(ModelTask.Binary, new BlendPredictor([predictor], [1]), new PlattCalibrator(1, 0, PlattScale.Score)).Write());
        Match[] tokens = [.. new[] { "\"[^\"]*\"(?!:)", "-?[0-9][0-9.eE+-]*|true|false", "\\{[^{}]*\\}", "\\[[^\\[\\]]*\\]" }
            .SelectMany(pattern => Regex.Matches(text, pattern, RegexOptions.None, TimeSpan.FromSeconds(10)))];
        tokens.Length.ShouldBeGreaterThan(200);
        string[] others = ["null", "-1", "1e300", "[]", "{}", "[null]", "\"\"", "999999999", "true"];
        foreach (var token in tokens)
        {
            foreach (var other in others)
            {
                var bytes = Encoding.UTF8.GetBytes($"{text[..token.Index]}{other}{text[(token.Index + token.Length)..]}");
                try
                {
                    double[] scores = [0];
                    ScoringModel.Load(bytes, "model.json").NewScorer().Score(TestModels.Row(0, 1, 2, float.NaN, 3), scores);
                }
                catch (ModelException)
                {
                    // Refused with a reason: that is what is wanted.
                }
            }
        }
    }

    [Fact]
    public void Check_TreesThatWouldWalkForEverOrOutside_AreRefused()
    {
        var tree = new DecisionTree([0, 1], [1, 2], [false, false], [1, ~0], [~2, ~1], [], [1, 2, 3], []);
        Load(tree);
        foreach (var bad in new[]
        {
            tree with { Left = [0, ~0] },
            tree with { Left = [1, 1] },
            tree with { Right = [~3, ~1] },
            tree with { Right = [~1, ~1] },
            tree with { Left = [~0, ~0] },
            tree with { Slots = [0, 5] },
            tree with { Slots = [0, -1] },
            tree with { Thresholds = [1, float.NaN] },
            tree with { LeafValues = [1, 2, double.NaN] },
            tree with { LeafWeights = [1, 2] },
            tree with { LeafWeights = [1, 2, -1] },
            tree with { Categories = [new CategorySplit(0, [1])] },
            tree with { Slots = [2, 1], Categories = [new CategorySplit(0, [1])] },
            tree with { Slots = [2, 1], MissingLeft = [true, false], Categories = [new CategorySplit(0, [7])] },
            tree with { Slots = [2, 1], MissingLeft = [true, false], Categories = [new CategorySplit(0, [2, 1])] },
        })
        {
            Should.Throw<ModelException>(() => Load(bad)).Message.ShouldContain("train it again");
        }

        Load(tree with { Slots = [2, 1], MissingLeft = [true, false], Categories = [new CategorySplit(0, [1, 2])] });
    }

    private static void Load(DecisionTree tree) => _ = new ScoringModel(TestModels.Of(ModelTask.Regression, new TreePredictor(new TreeEnsemble(0, 1, [tree]))));
}
