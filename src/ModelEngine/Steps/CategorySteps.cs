using System.Text.Json.Serialization;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// One slot of 0 or 1 per category. A category that was seen in training but is not one of <paramref name="Categories"/> counts as <c>other</c>, one never
/// seen gives zero everywhere, a missing value too unless <paramref name="Missing"/> gives it a slot.
/// </summary>
/// <param name="Output">Prefix of the outputs: <c>{Output}={category}</c>, then <c>{Output}=other</c>, then <c>{Output}=missing</c>.</param>
/// <param name="Categories">Those with a slot of their own, the most frequent first.</param>
/// <param name="Rare">Those that share the slot <c>other</c>; there is such a slot if there is one.</param>
/// <param name="Missing">Whether missing values have a slot.</param>
public sealed record OneHotStep(string Column, string Output, IReadOnlyList<string> Categories, IReadOnlyList<string> Rare, bool Missing) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames =>
    [
        .. Categories.Select(c => $"{Output}={c}"), .. Rare.Count > 0 ? new[] { $"{Output}=other" } : [], .. Missing ? new[] { $"{Output}=missing" } : [],
    ];

    internal override void Compile(PipelineCompiler compiler)
    {
        var reader = new CategoryReader(compiler.Find(Column));
        int[] outputs = [.. Outputs.Select(compiler.Output)];
        var other = Rare.Count > 0 ? Categories.Count : -1;
        var missing = Missing ? outputs.Length - 1 : -1;
        compiler.Add(new OneHotOp(reader, reader.Table(Categories.Concat(Rare)), Categories.Count, other, missing, outputs.Length > 0 ? outputs[0] : 0, outputs.Length));
    }
}

/// <summary>The category's index in <paramref name="Categories"/>; NaN where it is missing, was never seen or was too rare.</summary>
public sealed record CategoricalStep(string Column, string Output, IReadOnlyList<string> Categories) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => [Output];

    [JsonIgnore]
    public override int Cardinality => Math.Max(1, Categories.Count);

    internal override void Compile(PipelineCompiler compiler)
    {
        var reader = new CategoryReader(compiler.Find(Column));
        compiler.Add(new CodeOp(reader, reader.Table(Categories), compiler.Output(Output)));
    }
}

/// <summary>
/// XxHash64 with <paramref name="Seed"/> over the text's UTF-8 bytes, or over the 8 little-endian bytes of the double, modulo <paramref name="Buckets"/>. Missing
/// values give NaN (as a code) or zero everywhere (as slots).
/// </summary>
/// <param name="Slots">True: one slot of 0 or 1 per bucket, <c>{Output}#{bucket}</c>. False: the bucket's number, categorical.</param>
public sealed record HashStep(string Column, string Output, int Buckets, long Seed, bool Slots) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => Slots ? [.. Enumerable.Range(0, Buckets).Select(b => $"{Output}#{b}")] : [Output];

    [JsonIgnore]
    public override int Cardinality => Slots ? 0 : Buckets;

    internal override void Compile(PipelineCompiler compiler)
    {
        if (Buckets < 1)
            throw PipelineCompiler.Unsound($"'{Output}' has {Buckets} buckets");
        var reader = new CategoryReader(compiler.Find(Column));
        int[] outputs = [.. Outputs.Select(compiler.Output)];
        compiler.Add(new HashOp(reader, Buckets, Seed, Slots, outputs[0]));
    }
}

/// <summary>
/// The smoothed mean of the label per category over the whole training part: (sum + smoothing * prior) / (weight + smoothing), after D. Micci-Barreca,
/// "A preprocessing scheme for high-cardinality categorical attributes" (2001). A missing or unknown category gives the prior. Rows of the training
/// part were given the mean of the other folds instead (<see cref="FittedTraining.EncodeTraining"/>).
/// </summary>
/// <param name="Output">Name of the output; with several classes, <c>{Output}_{class}</c> each.</param>
/// <param name="Priors">Mean of the label; with several classes, each class's share.</param>
/// <param name="Values">Per class (one for binary and regression), the value of each of <paramref name="Categories"/>.</param>
public sealed record TargetEncodeStep(string Column, string Output, IReadOnlyList<double> Priors, IReadOnlyList<string> Categories, IReadOnlyList<IReadOnlyList<double>> Values) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => [Column];

    protected override IReadOnlyList<string> OutputNames => Priors.Count == 1 ? [Output] : [.. Enumerable.Range(0, Priors.Count).Select(c => $"{Output}_{c}")];

    internal override void Compile(PipelineCompiler compiler)
    {
        if (Priors.Count == 0 || Values.Count != Priors.Count || Values.Any(v => v.Count != Categories.Count))
            throw PipelineCompiler.Unsound($"'{Output}' has not one value per class and category");
        var reader = new CategoryReader(compiler.Find(Column));
        var table = reader.Table(Categories);
        int[] outputs = [.. Outputs.Select(compiler.Output)];
        compiler.Add(compiler.Training.Find(this) is { } folds
            ? new OutOfFoldOp(reader, table, folds, outputs[0])
            : new TargetEncodeOp(reader, table, [.. Enumerable.Range(0, Categories.Count).SelectMany(c => Values.Select(v => v[c]))], [.. Priors], outputs[0]));
    }
}

/// <summary>The bucket of two or three categories together, by XxHash64 of theirs; NaN where one is missing.</summary>
public sealed record CrossHashStep(IReadOnlyList<string> Columns, string Output, int Buckets, long Seed) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => Columns;

    protected override IReadOnlyList<string> OutputNames => [Output];

    [JsonIgnore]
    public override int Cardinality => Buckets;

    internal override void Compile(PipelineCompiler compiler)
    {
        if (Buckets < 1 || Columns.Count is < 2 or > 3)
            throw PipelineCompiler.Unsound($"'{Output}' crosses {Columns.Count} columns into {Buckets} buckets");
        var reader = new CrossReader([.. Columns.Select(c => new CategoryReader(compiler.Find(c)))]);
        compiler.Add(new CrossHashOp(reader, Buckets, Seed, compiler.Output(Output)));
    }
}

/// <summary>The index of a combination of two or three categories in <paramref name="Combinations"/>; NaN where one is missing or the combination is not among them.</summary>
public sealed record CrossDictionaryStep(IReadOnlyList<string> Columns, string Output, IReadOnlyList<IReadOnlyList<string>> Combinations) : FittedStep
{
    protected override IReadOnlyList<string> SourceNames => Columns;

    protected override IReadOnlyList<string> OutputNames => [Output];

    [JsonIgnore]
    public override int Cardinality => Math.Max(1, Combinations.Count);

    internal override void Compile(PipelineCompiler compiler)
    {
        if (Columns.Count is < 2 or > 3)
            throw PipelineCompiler.Unsound($"'{Output}' crosses {Columns.Count} columns");
        var reader = new CrossReader([.. Columns.Select(c => new CategoryReader(compiler.Find(c)))]);
        var table = new CategoryTable();
        foreach (var combination in Combinations)
            table.GetOrAdd(reader.Bytes(combination));
        if (table.Count != Combinations.Count)
            throw PipelineCompiler.Unsound($"'{Output}' lists a combination twice");
        compiler.Add(new CrossDictionaryOp(reader, table, compiler.Output(Output)));
    }
}
