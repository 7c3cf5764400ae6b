using CsCheck;
using StreamMl.ModelEngine.Sampling;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Events;
using static StreamMl.ModelEngine.Tests.Steps.StepsLab;

namespace StreamMl.ModelEngine.Tests.Steps;

public sealed class PipelineTests
{
    private static readonly ModelInput[] Inputs =
        [Number("x"), Number("y"), new("flag", FieldType.Boolean, InputOrigin.Request), Text("s"), Text("r"), Time("t"), Number("unused")];

    private static readonly PipelineDefinition Everything = new(["*"], ["unused"],
    [
        new StepDefinition("time_part", "t").With("part", "hour"),
        new StepDefinition("cyclic", "t").With("part", "day_of_week"),
        new StepDefinition("impute", "x").With("indicator", "true"),
        new StepDefinition("log", "y"),
        new StepDefinition("standard", "x", "y"),
        new StepDefinition("one_hot", "s").With("max", "2"),
        new StepDefinition("target_encode", "s", "r").With("folds", "3"),
        new StepDefinition("standard", "s_target"),
        new StepDefinition("cross", "s", "r").With("method", "dictionary"),
        new StepDefinition("discretize", "t_hour").With("bins", "3").With("method", "uniform"),
        new StepDefinition("categorical", "r"),
        new StepDefinition("hash", "s"),
    ]);

    private static readonly Gen<object?> AnyNumber = Gen.Frequency((1, Gen.Const((object?)null)), (6, Gen.Double[-100, 100].Select(d => (object?)d)));
    private static readonly Gen<object?> AnyText = Gen.Frequency((1, Gen.Const((object?)null)), (6, Gen.Int[0, 6].Select(i => (object?)$"c{i}")));
    private static readonly Gen<object?> AnyTime = Gen.Frequency((1, Gen.Const((object?)null)), (6, Gen.Long[0, 100_000_000].Select(s => (object?)DateTime.UnixEpoch.AddSeconds(s))));
    private static readonly Gen<object?[]> AnyRow =
        Gen.Select(AnyNumber, AnyNumber, Gen.Bool, AnyText, AnyText, AnyTime, AnyNumber).Select((x, y, f, s, r, t, u) => new[] { x, y, f, s, r, t, u });

    private static readonly Gen<(object?[][] Rows, double[] Labels)> AnyRows =
        AnyRow.Array[3, 60].SelectMany(rows => Gen.Bool.Array[rows.Length].Select(labels => (rows, Array.ConvertAll(labels, l => l ? 1.0 : 0.0))))
            .Where(c => c.rows.Any(r => r[0] is not null));

    [Fact]
    public void Fit_SameRowsAndSeed_SameBytes() => AnyRows.Sample(c => Bytes(Fit(c)).ShouldBe(Bytes(Fit(c))), iter: 50);

    [Fact]
    public void Document_WrittenAndRead_EncodesTheSame() => AnyRows.Sample(c =>
    {
        var fitted = Fit(c).Pipeline;
        var bytes = PipelineJson.Write(fitted.Document);
        var read = new FittedPipeline(PipelineJson.Read<PipelineDocument>(bytes));
        PipelineJson.Write(read.Document).ShouldBe(bytes);
        var rows = new MemoryRows(Inputs, c.Rows);
        for (var i = 0; i < c.Rows.Length; i++)
            Encode(read, rows.Row(i, read.Inputs)).ShouldBe(Encode(fitted, rows.Row(i, fitted.Inputs)));
    }, iter: 50);

    [Fact]
    public void EncodeTraining_WithoutTargetEncoding_IsEncode() => AnyRows.Sample(c =>
    {
        var definition = Everything with { Steps = [.. Everything.Steps.Where(s => s.Kind != "target_encode" && !s.Columns.Contains("s_target"))] };
        var rows = new MemoryRows(Inputs, c.Rows, c.Labels);
        var fitted = PipelineFitter.Fit(definition, rows, Binary);
        for (var i = 0; i < c.Rows.Length; i++)
            Training(fitted, rows, i).ShouldBe(Encode(fitted.Pipeline, rows.Row(i, fitted.Pipeline.Inputs)));
    }, iter: 50);

    [Fact]
    public void EncodeTraining_TargetEncoding_IsTheMeanOfTheOtherFolds() => AnyRows.Sample(c =>
    {
        var rows = new MemoryRows(Inputs, c.Rows, c.Labels);
        var fitted = PipelineFitter.Fit(new PipelineDefinition(["s"], [], [new StepDefinition("target_encode", "s").With("folds", "3").With("smoothing", "2")]), rows, Binary);
        for (var i = 0; i < c.Rows.Length; i++)
            Training(fitted, rows, i)[0].ShouldBe((float)NaiveOutOfFold(c.Rows, c.Labels, i), 1e-6f);
    }, iter: 50);

    [Fact]
    public void EncodeTraining_OwnLabelTurned_ChangesNothingOfTheRow() => AnyRows.Sample(c =>
    {
        var definition = new PipelineDefinition(["s"], [], [new StepDefinition("target_encode", "s").With("folds", "3")]);
        for (var i = 0; i < Math.Min(5, c.Rows.Length); i++)
        {
            var turned = (double[])c.Labels.Clone();
            turned[i] = 1 - turned[i];
            var (rows, other) = (new MemoryRows(Inputs, c.Rows, c.Labels), new MemoryRows(Inputs, c.Rows, turned));
            // Where all rows are in one fold there is no other to take the mean from.
            if (Enumerable.Range(0, c.Rows.Length).Select(r => OutOfFoldTable.FoldOf(r, 3, Binary.Seed)).Distinct().Count() > 1)
                Training(PipelineFitter.Fit(definition, rows, Binary), rows, i).ShouldBe(Training(PipelineFitter.Fit(definition, other, Binary), other, i));
        }
    }, iter: 30);

    [Fact]
    public void EncodeTraining_CopiesOfARow_AreInOneFold()
    {
        // Every category has one row, and a copy of it: whoever sees the copy's label sees its own.
        object?[][] values = [.. Enumerable.Range(0, 40).Select(i => new object?[] { $"c{i / 2}" })];
        double[] labels = [.. Enumerable.Range(0, 40).Select(i => i / 2 % 2 == 0 ? 1.0 : 0)];
        var rows = new MemoryRows([Text("s")], values, labels) { FoldKeys = [.. Enumerable.Range(0, 40).Select(i => (long)(i / 2))] };
        var fitted = PipelineFitter.Fit(new PipelineDefinition(new StepDefinition("target_encode", "s").With("smoothing", "0")), rows, Binary);
        for (var i = 0; i < 40; i++)
        {
            Training(fitted, rows, i)[0].ShouldBeInRange(0.2f, 0.8f);
            Encode(fitted.Pipeline, rows.Row(i))[0].ShouldBe((float)labels[i]);
        }
    }

    [Fact]
    public void TargetEncode_SeveralClasses_SharesAddUpToOne()
    {
        var rows = new MemoryRows([Text("s")], [["a"], ["a"], ["b"], ["b"]], [0, 1, 2, 2]);
        var fitted = PipelineFitter.Fit(new PipelineDefinition(new StepDefinition("target_encode", "s").With("smoothing", "1")), rows, new FitOptions(ModelTask.Multiclass, 3));
        fitted.Pipeline.Slots.Select(s => s.Name).ShouldBe(["s_target_0", "s_target_1", "s_target_2"]);
        Encode(fitted.Pipeline, Row("b")).ShouldBe([0.25f / 3, 0.25f / 3, 2.5f / 3]);
        Encode(fitted.Pipeline, Row("a")).Sum().ShouldBe(1f, 1e-6f);
    }

    [Fact]
    public void Fit_IndependentSteps_ReadTheRowsOnce()
    {
        var rows = new MemoryRows([Number("x"), Number("y"), Text("s")], [[1, 2, "a"], [3, 4, "b"]]);
        PipelineFitter.Fit(new PipelineDefinition(new StepDefinition("standard", "x"), new StepDefinition("robust", "y"), new StepDefinition("one_hot", "s")), rows, Binary);
        rows.Passes.ShouldBe(1);
    }

    [Fact]
    public void Fit_StepOnAnothersOutput_SeesItsValues()
    {
        var rows = new MemoryRows([Number("x")], [[1], [3], [null]]);
        var definition = new PipelineDefinition(new StepDefinition("impute", "x").With("strategy", "constant").With("value", "5"), new StepDefinition("standard", "x"));
        var fitted = PipelineFitter.Fit(definition, rows, Binary).Pipeline;
        ((StandardStep)fitted.Document.Steps[1]).Mean.ShouldBe(3);
        rows.Passes.ShouldBe(1);
    }

    [Fact]
    public void Inputs_OfWhatIsDropped_AreNotAskedFor()
    {
        var rows = new MemoryRows(Inputs, [[1.0, 2.0, true, "a", "b", DateTime.UnixEpoch, 3.0]]);
        var definition = new PipelineDefinition(
            new StepDefinition("ratio", "x", "y"), new StepDefinition("one_hot", "s"), new StepDefinition("drop", "s=a"), new StepDefinition("drop", "x", "y", "r", "t", "unused"));
        var fitted = PipelineFitter.Fit(definition, rows, Binary).Pipeline;
        fitted.Inputs.Select(i => i.Name).ShouldBe(["x", "y", "flag"]);
        fitted.Slots.Select(s => s.Name).ShouldBe(["flag", "x_per_y"]);
        fitted.Document.Steps.Count.ShouldBe(1);
    }

    [Fact]
    public void SkipsAbsent_FewerInputs_StepsDoWithout()
    {
        var rows = new MemoryRows(Inputs, [[1.0, 2.0, true, "a", "b", DateTime.UnixEpoch, 3.0], [4.0, 1.0, false, "b", "b", DateTime.UnixEpoch, 3.0]]);
        var variant = Everything with { Include = ["x", "r"], Exclude = [], SkipsAbsent = true };
        PipelineFitter.Check(variant, Inputs).ShouldBeEmpty();
        var fitted = PipelineFitter.Fit(variant, rows, Binary).Pipeline;
        fitted.Slots.Select(s => s.Name).ShouldBe(["x", "x_missing", "r_target", "r_code"]);
        fitted.Inputs.Select(i => i.Name).ShouldBe(["x", "r"]);
        PipelineFitter.Check(variant with { SkipsAbsent = false }, Inputs)[0].Message.ShouldBe("step 1 time_part: there is no column `t`");
    }

    [Fact]
    public void SkipsAbsent_AllInputs_ChangesNothing() => AnyRows.Sample(c =>
    {
        var rows = new MemoryRows(Inputs, c.Rows, c.Labels);
        Bytes(PipelineFitter.Fit(Everything with { SkipsAbsent = true }, rows, Binary)).ShouldBe(Bytes(Fit(c)));
    }, iter: 20);

    [Fact]
    public void OneHot_OutputsByPattern_CanBeReadByLaterSteps()
    {
        var rows = new MemoryRows([Text("s"), Number("x")], [["a", 1], ["b", 2]]);
        var definition = new PipelineDefinition(new StepDefinition("one_hot", "s"), new StepDefinition("standard", "s=*", "x"));
        PipelineFitter.Check(definition, rows.Inputs).ShouldBeEmpty();
        PipelineFitter.Fit(definition, rows, Binary).Pipeline.Document.Steps.OfType<StandardStep>().Count().ShouldBe(3);
    }

    [Fact]
    public void Encode_AfterTheFirstRow_AllocatesNothing()
    {
        var source = new SeededRandom(1);
        object?[][] values = [.. Enumerable.Range(0, 100).Select(i => new object?[] { i, i * 2.0, i % 2 == 0, $"c{i % 5}", $"c{i % 3}", DateTime.UnixEpoch.AddHours(i), null })];
        var rows = new MemoryRows(Inputs, values, [.. values.Select(_ => (double)source.Next(2))]);
        var fitted = PipelineFitter.Fit(Everything, rows, Binary).Pipeline;
        var row = rows.Row(3, fitted.Inputs);
        var (slots, scratch) = (new float[fitted.Slots.Count], fitted.NewScratch());
        fitted.Encode(row, slots, scratch);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
            fitted.Encode(row, slots, scratch);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void Document_AStandardStep_ReadsLikeThis()
    {
        var fitted = PipelineFitter.Fit(new PipelineDefinition(new StepDefinition("standard", "x")), Column(Number("x"), [1, 2, 3]), Binary).Pipeline;
        System.Text.Encoding.UTF8.GetString(PipelineJson.Write(fitted.Document)).ShouldBe("""
            {
              "inputs": [
                {
                  "name": "x",
                  "type": "float64",
                  "origin": "stored"
                }
              ],
              "steps": [
                {
                  "kind": "standard",
                  "column": "x",
                  "output": "x",
                  "mean": 2,
                  "deviation": 0.816496580927726
                }
              ],
              "slots": [
                {
                  "name": "x",
                  "sources": [
                    "x"
                  ],
                  "cardinality": 0
                }
              ]
            }
            """);
    }

    private static FittedTraining Fit((object?[][] Rows, double[] Labels) c) => PipelineFitter.Fit(Everything, new MemoryRows(Inputs, c.Rows, c.Labels), Binary);

    private static byte[] Bytes(FittedTraining fitted) => PipelineJson.Write(fitted.Pipeline.Document);

    private static float[] Training(FittedTraining fitted, MemoryRows rows, int index)
    {
        var slots = new float[fitted.Pipeline.Slots.Count];
        fitted.EncodeTraining(index, rows.Row(index), slots, fitted.NewScratch());
        return slots;
    }

    private static double NaiveOutOfFold(object?[][] rows, double[] labels, int index)
    {
        int FoldOf(int row) => OutOfFoldTable.FoldOf(row, 3, Binary.Seed);
        var others = Enumerable.Range(0, rows.Length).Where(r => FoldOf(r) != FoldOf(index)).ToList();
        var prior = others.Count == 0 ? labels.Average() : others.Average(r => labels[r]);
        if (rows[index][3] is not { } category)
            return prior;
        var same = others.Where(r => category.Equals(rows[r][3])).ToList();
        return (same.Sum(r => labels[r]) + (2 * prior)) / (same.Count + 2);
    }
}
