using CsCheck;
using StreamMl.ModelEngine.Sampling;
using StreamMl.ModelEngine.Steps;
using StreamMl.Shared.Events;
using static StreamMl.ModelEngine.Tests.Steps.StepsLab;

namespace StreamMl.ModelEngine.Tests.Steps;

/// <summary>Pipelines that nobody would write: what the checks pass is fitted, what is fitted is read back and encodes the same.</summary>
public sealed class RandomPipelineTests
{
    private static readonly ModelInput[] Inputs =
        [Number("x"), Number("y"), new("flag", FieldType.Boolean, InputOrigin.Request), Text("s"), Text("r"), Time("t"), Time("u")];

    // Inputs, outputs that steps may have given by then, and patterns.
    private static readonly string[] Columns = ["x", "y", "flag", "s", "r", "t", "u", "x_per_y", "s_target", "s_code", "s_x_r", "t_hour", "x_2", "*", "x*", "s=*", "t*"];

    private static readonly MemoryRows Rows = Make(200);

    private static readonly Gen<StepDefinition> AnyStep = Gen.Select(Gen.Int[0, StepCatalog.Kinds.Count - 1], Gen.Int[0, Columns.Length - 1].Array[1, 3], Gen.Int[0, 3].Array[8], Gen.Int[0, 9])
        .Select((kind, columns, choices, style) => Step(StepCatalog.Kinds[kind], [.. columns.Distinct().Select(c => Columns[c])], choices, style));

    // One in four as it comes, the others grown by what the checks let pass.
    private static readonly Gen<PipelineDefinition> AnyPipeline = Gen.Select(AnyStep.List[1, 25], Gen.Int[0, 3])
        .Select((steps, kind) => new PipelineDefinition([], [], Finished(kind == 0 ? steps.Take(3) : steps.Aggregate(new List<StepDefinition>(), Grow))));

    [Fact]
    public void Fit_AnyPipeline_WorksWhereTheChecksPass()
    {
        var fittedOnes = 0;
        AnyPipeline.Sample(definition =>
        {
            var findings = PipelineFitter.Check(definition, Inputs);
            if (findings.Count > 0)
            {
                Should.Throw<PipelineException>(() => PipelineFitter.Fit(definition, Rows, Binary));
                return;
            }

            Interlocked.Increment(ref fittedOnes);
            var fitted = PipelineFitter.Fit(definition, Rows, Binary);
            fitted.Pipeline.Slots.Select(s => s.Name).ShouldBeUnique();
            var read = new FittedPipeline(PipelineJson.Read<PipelineDocument>(PipelineJson.Write(fitted.Pipeline.Document)));
            var isTheSame = definition.Steps.All(s => s.Kind != "target_encode");
            for (var i = 0; i < 20; i++)
            {
                var slots = Encode(fitted.Pipeline, Rows.Row(i, read.Inputs));
                Encode(read, Rows.Row(i, read.Inputs)).ShouldBe(slots);
                foreach (var (slot, value) in read.Slots.Zip(slots).Where(s => s.First.IsCategorical && !float.IsNaN(s.Second)))
                    value.ShouldSatisfyAllConditions(v => v.ShouldBe(MathF.Floor(v)), v => v.ShouldBeInRange(0, slot.Cardinality - 1));
                if (isTheSame)
                    Training(fitted, i).ShouldBe(slots);
            }
        }, iter: 400, print: d => string.Join(" | ", d.Steps.Select(s => $"{s.Kind} [{string.Join(",", s.Columns)}] {string.Join(",", s.Parameters)} {s.Name}")));
        fittedOnes.ShouldBeGreaterThan(200);
    }

    private static StepDefinition Step(StepKind kind, string[] columns, int[] choices, int style)
    {
        var step = new StepDefinition(kind.Name, columns);
        for (var p = 0; p < kind.Parameters.Count; p++)
        {
            var parameter = kind.Parameters[p];
            var isNeeded = parameter is { Default: null, Name: "part" } || (kind.Name == "cyclic" && parameter.Name == "period" && style == 0);
            if (parameter.Choices.Count > 0 && (isNeeded || choices[p % choices.Length] > 1))
                step = step.With(parameter.Name, parameter.Choices[choices[p % choices.Length] % parameter.Choices.Count]);
        }

        step = kind.Name switch
        {
            "clip" => step.With("low", "1").With("high_quantile", "0.8"),
            "hash" => step.With("buckets", "5"),
            "cross" => step.With("buckets", "7"),
            "one_hot" or "categorical" => step.With("max", "3"),
            "impute" when step.Parameters.GetValueOrDefault("strategy") == "constant" => step.With("value", "1"),
            "discretize" when step.Parameters.GetValueOrDefault("method") == "bounds" => step.With("bounds", "1,2"),
            _ => step,
        };
        return style > 6 ? step with { Name = "{column}_2" } : step;
    }

    private static List<StepDefinition> Grow(List<StepDefinition> steps, StepDefinition next)
    {
        List<StepDefinition> longer = [.. steps, next];
        return PipelineFitter.Check(new PipelineDefinition([], [], Finished(longer)), Inputs).Count == 0 ? longer : steps;
    }

    // What is left of strings and times goes, or nearly every pipeline would fail by that.
    private static StepDefinition[] Finished(IEnumerable<StepDefinition> steps) =>
        [.. steps, new StepDefinition("hash", "s", "r") { Name = "{column}_last" }, new StepDefinition("time_part", "t", "u").With("part", "hour") with { Name = "{column}_last" }];

    private static float[] Training(FittedTraining fitted, int index)
    {
        var slots = new float[fitted.Pipeline.Slots.Count];
        fitted.EncodeTraining(index, Rows.Row(index), slots, fitted.NewScratch());
        return slots;
    }

    private static MemoryRows Make(int count)
    {
        var random = new SeededRandom(3);
        var rows = new object?[count][];
        for (var i = 0; i < count; i++)
        {
            rows[i] =
            [
                random.Next(10) == 0 ? null : random.NextDouble() * 10, random.Next(10) == 0 ? null : (double)random.Next(4), random.Next(2) == 0, random.Next(10) == 0 ? null : $"c{random.Next(6)}",
                $"d{random.Next(5)}", random.Next(10) == 0 ? null : DateTime.UnixEpoch.AddMinutes(random.Next(1_000_000)), DateTime.UnixEpoch.AddMinutes(random.Next(1_000_000)),
            ];
        }

        return new MemoryRows(Inputs, rows, [.. rows.Select((_, i) => i % 3 == 0 ? 1.0 : 0)]);
    }
}
