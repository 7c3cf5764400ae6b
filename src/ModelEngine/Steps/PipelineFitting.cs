namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// One fitting: takes the declared steps in order, and reads the rows whenever a step must see what an earlier one that is not fitted yet gives. Without rows it
/// only plans, and finds what is wrong. One use; not thread-safe.
/// </summary>
internal sealed class PipelineFitting(PipelineDefinition definition, IReadOnlyList<ModelInput> inputs, ITrainingRows? rows, FitOptions options)
{
    private readonly PlanColumns columns = new(definition, inputs);
    private readonly List<StepFitter> pending = [];
    private readonly List<FittedStep> fitted = [];
    private readonly Dictionary<FittedStep, OutOfFoldTable> training = new(ReferenceEqualityComparer.Instance);

    public void Plan()
    {
        for (var i = 0; i < definition.Steps.Count; i++)
            Apply(definition.Steps[i], i + 1);
        Flush();
        CheckSlots();
    }

    public FittedTraining Fit()
    {
        Plan();
        Slot[] slots = [.. columns.All.Where(c => c.Kind == ColumnKind.Number).Select(c => new Slot(c.Name, c.Inputs, c.Cardinality))];
        var (needed, used) = Needed(slots);
        var document = new PipelineDocument([.. columns.Inputs.Where(i => used.Contains(i.Name))], needed, slots);
        return new FittedTraining(new FittedPipeline(document), rows!, PipelineProgram.Compile(document, inputs, new TrainingTables(training)));
    }

    private void Apply(StepDefinition step, int number)
    {
        // A one-hot's outputs have names once it is fitted; only a step that reads named columns that are there already can do without.
        if (pending.Exists(p => p.NamesOutputs) && step.Columns.Any(c => columns.Find(c) is null))
        {
            Flush();
            if (rows is null)
                Suppose(step.Columns);
        }

        if ((definition.SkipsAbsent ? StepSelection.Present(step, columns) : step) is not { } present)
            return;
        foreach (var sources in StepSelection.Of(present, number, columns))
        {
            if (step.Kind == "drop")
                columns.Remove(sources[0]);
            else
                Apply(step, number, sources);
        }
    }

    // Without rows a one-hot's outputs stay unknown: one that a step reads is taken to be there.
    private void Suppose(IReadOnlyList<string> names)
    {
        foreach (var open in columns.All.Where(c => c.Pending is { NamesOutputs: true }).ToList())
        {
            var prefix = open.Name[..(open.Name.LastIndexOf('=') + 1)];
            foreach (var name in names.Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && !columns.All.Any(c => Glob.Matches(n, c.Name))))
                columns.Insert(null, [new PlanColumn(name, ColumnKind.Number, false, open.Inputs)]);
        }
    }

    private void Apply(StepDefinition step, int number, IReadOnlyList<PlanColumn> sources)
    {
        var origin = new StepOrigin(step, number);
        var fitter = origin.Locate(() => StepFitters.For(step, sources, OutputName.Of(step, sources), options));
        fitter.Origin = origin;
        if (fitter.NeedsRows && sources.Any(s => s.Pending is not null))
            Flush();
        pending.Add(fitter);
        origin.Locate(() => Place(step, sources, fitter));
    }

    private bool Place(StepDefinition step, IReadOnlyList<PlanColumn> sources, StepFitter fitter)
    {
        var keep = new StepParameters(step).Flag("keep");
        List<string> from = [.. columns.Inputs.Select(i => i.Name).Intersect(sources.SelectMany(s => s.Inputs), StringComparer.Ordinal)];
        PlanColumn[] outputs = [.. fitter.Outputs.Select(o => new PlanColumn(o.Name, o.Kind, o.IsCategorical, from) { Pending = fitter })];
        bool IsHidden(PlanColumn source) => outputs.Any(o => o.Name == source.Name);
        if (step.Parameters.ContainsKey("keep") && keep && sources.FirstOrDefault(IsHidden) is { } same)
            throw new PipelineException($"its output `{same.Name}` has the name of the column that it keeps", "Give it another: name: \"{column}_2\"");
        var replaced = sources.Where(s => (s.Kind == ColumnKind.Number && !keep) || IsHidden(s)).ToList();
        foreach (var output in outputs)
            CheckName(output.Name, replaced);
        foreach (var source in sources)
            source.IsRead = true;
        columns.Insert(replaced.FirstOrDefault(), outputs);
        return replaced.TrueForAll(columns.Remove);
    }

    private void CheckName(string name, List<PlanColumn> replaced)
    {
        if (columns.Find(name) is { } there && !replaced.Contains(there))
            throw new PipelineException($"its output `{name}` is there already", "Give it another name (name: ...), or drop the other column first");
    }

    // Fits what is pending, in one pass.
    private void Flush()
    {
        if (rows is not null && pending.Exists(p => p.NeedsRows))
            Read(rows);
        if (rows is null)
            return;
        foreach (var fitter in pending)
            fitter.Origin.Locate(() => Settle(fitter, fitter.Finish(training)));
        pending.Clear();
    }

    private void Read(ITrainingRows from)
    {
        var compiler = PipelineProgram.Bind(columns.Inputs, fitted, inputs, new TrainingTables(training));
        StepFitter[] fitters = [.. pending.Where(p => p.NeedsRows)];
        foreach (var fitter in fitters)
            fitter.Bind(compiler);
        var program = compiler.Finish([]);
        var scratch = program.NewScratch();
        using var cursor = from.Open();
        var index = 0;
        for (; cursor.Next(); index++)
        {
            scratch.FoldKey = from.FoldKey(index);
            program.Run(cursor.Row, scratch);
            var sample = new TrainingSample(cursor.Row, scratch.Registers, Label(cursor.Label, index), Weight(cursor.Weight, index), scratch.FoldKey);
            Observe(fitters, sample);
        }

        if (index == 0)
            throw new PipelineException("there are no rows to fit on", "Look at the split: its training part is empty");
    }

    private static double Weight(double weight, int index) => weight >= 0 && double.IsFinite(weight)
        ? weight
        : throw new PipelineException($"the weight of training row {index} is {weight}", "A weight is finite and not negative");

    private static void Observe(StepFitter[] fitters, in TrainingSample sample)
    {
        var at = 0;
        try
        {
            for (; at < fitters.Length; at++)
                fitters[at].Observe(sample);
        }
        catch (PipelineException problem)
        {
            throw fitters[at].Origin.Located(problem);
        }
    }

    private double Label(double label, int index)
    {
        var isSound = options.Task switch
        {
            ModelTask.Binary => label is 0 or 1,
            ModelTask.Multiclass => label >= 0 && label < options.Classes && label == Math.Floor(label),
            _ => double.IsFinite(label),
        };
        return isSound ? label : throw new PipelineException($"the label of training row {index} is {label}", options.Task switch
        {
            ModelTask.Binary => "A binary label is 0 or 1",
            ModelTask.Multiclass => $"A label of {options.Classes} classes is 0 to {options.Classes - 1}",
            _ => "A label is a finite number: leave out rows without one",
        });
    }

    private bool Settle(StepFitter fitter, FittedStep step)
    {
        fitted.Add(step);
        var own = columns.All.Where(c => c.Pending == fitter).ToList();
        foreach (var column in own)
        {
            column.Pending = null;
            column.Cardinality = step.Cardinality;
        }

        if (!fitter.NamesOutputs || own.Count == 0)
            return true;
        foreach (var name in step.Outputs)
            CheckName(name, own);
        columns.Insert(own[0], step.Outputs.Select(o => new PlanColumn(o, ColumnKind.Number, false, own[0].Inputs)));
        return columns.Remove(own[0]);
    }

    private void CheckSlots()
    {
        if (columns.All.FirstOrDefault(c => c.Kind != ColumnKind.Number && !c.IsRead) is { } left)
        {
            throw new PipelineException(
                $"column `{left.Name}` is {left.Word} and no step reads it",
                left.Kind == ColumnKind.Text ? "Encode it (categorical, one_hot, target_encode, hash), drop it, or exclude it" : "Use it (cyclic, time_part), drop it, or exclude it");
        }

        if (!columns.All.Any(c => c.Kind == ColumnKind.Number))
            throw new PipelineException("no column is left for the model", "Include more inputs, or drop fewer");
    }

    // Steps and inputs that no slot depends on are left out: they would be computed, and asked of the store, for nothing.
    private (List<FittedStep> Steps, HashSet<string> Inputs) Needed(Slot[] slots)
    {
        var live = slots.Select(s => s.Name).ToHashSet(StringComparer.Ordinal);
        List<FittedStep> needed = [];
        for (var i = fitted.Count - 1; i >= 0; i--)
        {
            if (!fitted[i].Outputs.Any(live.Contains))
                continue;
            needed.Add(fitted[i]);
            live.ExceptWith(fitted[i].Outputs);
            live.UnionWith(fitted[i].Sources);
        }

        needed.Reverse();
        return (needed, live);
    }
}
