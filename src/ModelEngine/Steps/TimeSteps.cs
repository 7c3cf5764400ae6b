namespace StreamMl.ModelEngine.Steps;

/// <summary>A cycle of the calendar that a time goes round in.</summary>
public enum TimeCycle
{
    MinuteOfHour,
    HourOfDay,
    DayOfWeek,
    DayOfYear,
    Month,
}

/// <summary>A whole number read from a time.</summary>
public enum TimePart
{
    /// <summary>0 to 23.</summary>
    Hour,

    /// <summary>0 to 59.</summary>
    Minute,

    /// <summary>0 (Sunday) to 6.</summary>
    DayOfWeek,

    /// <summary>1 to 31.</summary>
    Day,

    /// <summary>1 to 366.</summary>
    DayOfYear,

    /// <summary>1 to 12.</summary>
    Month,

    Year,

    /// <summary>Minutes since midnight, 0 to 1439.</summary>
    MinuteOfDay,
}

/// <summary>sin and cos of 2 pi x / period: <c>{Output}_sin</c>, <c>{Output}_cos</c>.</summary>
public sealed record CyclicNumberStep(string Column, string Output, double Period) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [$"{Output}_sin", $"{Output}_cos"];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new CyclicNumberOp(compiler.Number(Column), compiler.Output(Outputs[0]), compiler.Output(Outputs[1]), Period));
}

/// <summary>
/// sin and cos of a time's place in a cycle, to the microsecond: an hour of day of 23:59 lies beside 00:00. A day of the year goes round in the days that its
/// year has; a month goes round in 12, each as long as it is.
/// </summary>
/// <param name="UtcOffsetMinutes">Added to the time first: clock time of a place with a fixed offset.</param>
public sealed record CyclicTimeStep(string Column, string Output, TimeCycle Cycle, int UtcOffsetMinutes) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [$"{Output}_sin", $"{Output}_cos"];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new CyclicTimeOp(compiler.Time(Column), compiler.Output(Outputs[0]), compiler.Output(Outputs[1]), Cycle, UtcOffsetMinutes));
}

/// <summary>A part of a time as a whole number.</summary>
/// <param name="UtcOffsetMinutes">Added to the time first.</param>
public sealed record TimePartStep(string Column, string Output, TimePart Part, int UtcOffsetMinutes) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new TimePartOp(compiler.Time(Column), compiler.Output(Output), Part, UtcOffsetMinutes));
}

/// <summary>First time minus the second, in seconds with fractions; NaN where one is missing.</summary>
public sealed record TimeDifferenceStep(IReadOnlyList<string> Columns, string Output) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => Columns;

    protected override IReadOnlyList<string> OutputNames => [Output];

    internal override void Compile(PipelineCompiler compiler) =>
        compiler.Add(new TimeDifferenceOp(compiler.Time(Columns[0]), compiler.Time(Columns[1]), compiler.Output(Output)));
}
