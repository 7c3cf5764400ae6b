namespace StreamMl.ModelEngine.Steps;

/// <summary>A value in place of a missing one (null or NaN).</summary>
/// <param name="Value">The value put in; a number in invariant form, or the text of a string column.</param>
/// <param name="Indicator">Name of a second output, 1 where the value was missing and 0 elsewhere; null for none.</param>
public sealed record ImputeStep(string Column, string Output, string Value, string? Indicator = null) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => Indicator is null ? [Output] : [Output, Indicator];

    internal override void Compile(PipelineCompiler compiler)
    {
        var source = compiler.Find(Column);
        if (source.Kind == ColumnKind.Text)
        {
            if (Indicator is not null)
                compiler.Add(new TextMissingOp(source.Index, compiler.Output(Indicator)));
            compiler.OutputText(Output, source, Value);
            return;
        }

        var (from, value) = (compiler.Number(Column), PipelineCompiler.ParseNumber(Column, Value));
        var target = compiler.Output(Output);
        compiler.Add(new ImputeOp(from, target, Indicator is null ? -1 : compiler.Output(Indicator), value));
    }
}

/// <summary>(x - mean) / deviation; the deviation is the population's, and 1 where all values were equal.</summary>
public sealed record StandardStep(string Column, string Output, double Mean, double Deviation) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new ScaleOp(compiler.Number(Column), compiler.Output(Output), Mean, Deviation));
}

/// <summary>low + (x - min) / (max - min) * (high - low); <paramref name="Low"/> where all values were equal.</summary>
/// <param name="Clip">Whether values outside of what training saw are held to low and high.</param>
public sealed record MinMaxStep(string Column, string Output, double Min, double Max, double Low, double High, bool Clip) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new MinMaxOp(compiler.Number(Column), compiler.Output(Output), this));
}

/// <summary>(x - median) / range, the range between two quantiles, and 1 where it was nothing.</summary>
public sealed record RobustStep(string Column, string Output, double Median, double Range) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new ScaleOp(compiler.Number(Column), compiler.Output(Output), Median, Range));
}

/// <summary>sign(x) * ln(1 + |x|).</summary>
public sealed record LogStep(string Column, string Output) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new LogOp(compiler.Number(Column), compiler.Output(Output)));
}

/// <summary>x held to at least <paramref name="Low"/> and at most <paramref name="High"/>; null is no bound.</summary>
public sealed record ClipStep(string Column, string Output, double? Low = null, double? High = null) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new ClipOp(compiler.Number(Column), compiler.Output(Output), Low ?? double.NegativeInfinity, High ?? double.PositiveInfinity));
}

/// <summary>The number of <paramref name="Bounds"/> that are not greater than x: 0 below the first, their count from the last on.</summary>
public sealed record DiscretizeStep(string Column, string Output, IReadOnlyList<double> Bounds) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler)
    {
        for (var i = 1; i < Bounds.Count; i++)
        {
            if (!(Bounds[i - 1] < Bounds[i]))
                throw PipelineCompiler.Unsound($"the bounds of '{Output}' do not ascend");
        }

        compiler.Add(new DiscretizeOp(compiler.Number(Column), compiler.Output(Output), [.. Bounds]));
    }
}

/// <summary>First column divided by the second; NaN where the second is 0 or one is missing.</summary>
public sealed record RatioStep(IReadOnlyList<string> Columns, string Output) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => Columns;

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new RatioOp(compiler.Number(Columns[0]), compiler.Number(Columns[1]), compiler.Output(Output)));
}

/// <summary>First column minus the second; NaN where one is missing.</summary>
public sealed record DifferenceStep(IReadOnlyList<string> Columns, string Output) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => Columns;

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new DifferenceOp(compiler.Number(Columns[0]), compiler.Number(Columns[1]), compiler.Output(Output)));
}
