using System.Text.Json.Serialization;

namespace StreamMl.ModelEngine.Steps;

/// <summary>
/// A step with what it learned: the columns that it reads, those that it gives, and its parameters. Its values are a pure function of the row.
/// Categories are text; those of a number, boolean or earlier step's output are the number in its shortest invariant form. Immutable; thread-safe.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(ImputeStep), "impute")]
[JsonDerivedType(typeof(OneHotStep), "one_hot")]
[JsonDerivedType(typeof(CategoricalStep), "categorical")]
[JsonDerivedType(typeof(HashStep), "hash")]
[JsonDerivedType(typeof(TargetEncodeStep), "target_encode")]
[JsonDerivedType(typeof(DiscretizeStep), "discretize")]
[JsonDerivedType(typeof(CrossHashStep), "cross_hash")]
[JsonDerivedType(typeof(CrossDictionaryStep), "cross_dictionary")]
[JsonDerivedType(typeof(CyclicNumberStep), "cyclic_number")]
[JsonDerivedType(typeof(CyclicTimeStep), "cyclic_time")]
[JsonDerivedType(typeof(TimePartStep), "time_part")]
[JsonDerivedType(typeof(TimeDifferenceStep), "time_difference")]
[JsonDerivedType(typeof(StandardStep), "standard")]
[JsonDerivedType(typeof(MinMaxStep), "min_max")]
[JsonDerivedType(typeof(RobustStep), "robust")]
[JsonDerivedType(typeof(LogStep), "log")]
[JsonDerivedType(typeof(ClipStep), "clip")]
[JsonDerivedType(typeof(RatioStep), "ratio")]
[JsonDerivedType(typeof(DifferenceStep), "difference")]
public abstract record FittedStep
{
    /// <summary>Columns that it reads.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Sources => SourceNames;

    /// <summary>Columns that it gives, in order.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Outputs => OutputNames;

    /// <summary>Number of categories of every output; 0 where they are numbers.</summary>
    [JsonIgnore]
    public virtual int Cardinality => 0;

    // Not public, and so no part of the JSON form: an override would not inherit the attribute that leaves it out.
    protected abstract IReadOnlyList<string> SourceNames { get; }

    protected abstract IReadOnlyList<string> OutputNames { get; }

    /// <summary>Adds the step's operations; the columns that it reads are known by then.</summary>
    internal abstract void Compile(PipelineCompiler compiler);
}
