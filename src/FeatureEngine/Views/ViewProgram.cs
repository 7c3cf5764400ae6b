using StreamMl.FeatureEngine.Expressions;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.FeatureEngine.Views;

/// <summary>
/// A view made ready to run: its levels of tiles, what each tile keeps, and how outputs are read from them. The layout depends on the
/// definition's canonical form alone. Immutable; thread-safe.
/// </summary>
public sealed class ViewProgram
{
    internal ViewProgram(
        ViewDefinition view,
        SourceDefinition source,
        EventSchema rowSchema,
        IReadOnlyList<ProgramColumn> columns,
        IReadOnlyList<Level> levels,
        IReadOnlyList<FeatureColumn> outputs,
        IReadOnlyDictionary<string, (int First, int Count)> outputsByFeature)
    {
        View = view;
        Source = source;
        Columns = columns;
        Levels = [.. levels];
        Outputs = outputs;
        this.outputsByFeature = outputsByFeature;
        Hash8 = CanonicalForm.ViewHash8(view, source);
        Log = LogNames.LogOf(source, view);
        AllowedLatenessUs = TimeGrid.ToMicros(view.AllowedLateness);
        ForgetAfterUs = ForgetAfter();
        RowSchema = rowSchema;
        RequiredFields = FindRequiredFields();
        AggregatedSchema = new EventSchema(view.Name, [.. columns.Select(c => new EventField(c.Name, c.Type, Nullable: true))]);
    }

    private readonly IReadOnlyDictionary<string, (int First, int Count)> outputsByFeature;

    public ViewDefinition View { get; }

    public SourceDefinition Source { get; }

    /// <summary>First 8 hex digits of the definition's hash: the version in store keys.</summary>
    public string Hash8 { get; }

    /// <summary>The topic that the view reads: its source's, or a repartition topic.</summary>
    public string Log { get; }

    /// <summary>The view's output columns, in the order of its features.</summary>
    public IReadOnlyList<FeatureColumn> Outputs { get; }

    /// <summary>Source fields that a batch must carry; the event time travels separately.</summary>
    public IReadOnlySet<string> RequiredFields { get; }

    /// <summary>The columns that the aggregations read, derived ones among them: all that a backfill has to keep of a row.</summary>
    public EventSchema AggregatedSchema { get; }

    public long AllowedLatenessUs { get; }

    /// <summary>An entity is forgotten once the partition's watermark is more than this past its newest event; null: never.</summary>
    public long? ForgetAfterUs { get; }

    /// <summary>The source's fields and the derived columns, for compiling expressions.</summary>
    internal EventSchema RowSchema { get; }

    internal IReadOnlyList<ProgramColumn> Columns { get; }

    internal Level[] Levels { get; }

    /// <exception cref="DefinitionException">The view cannot be computed over this source.</exception>
    public static ViewProgram Compile(ViewDefinition view, SourceDefinition source) => new ViewCompiler(view, source).Compile();

    /// <summary>The catalogue's views, in its order, each compiled when it is asked for.</summary>
    /// <exception cref="DefinitionException">A view cannot be computed over its source.</exception>
    public static IEnumerable<ViewProgram> CompileAll(Catalog catalog) => catalog.Views.Select(v => Compile(v, catalog.Source(v.Source)));

    /// <summary>The output columns of a feature: one, or k for last_k.</summary>
    public (int First, int Count) OutputsOf(string featureName) => outputsByFeature.TryGetValue(featureName, out var range)
        ? range
        : throw new ArgumentException($"view '{View.Name}' has no feature '{featureName}'; it has {string.Join(", ", outputsByFeature.Keys)}", nameof(featureName));

    private long? ForgetAfter()
    {
        if (Levels.Any(l => l.IsLifetime))
            return View.IdleLimit is { } idle ? TimeGrid.ToMicros(idle) : null;
        var longest = Levels.MaxBy(l => l.WindowUs)!;
        return AllowedLatenessUs + longest.WindowUs + longest.HopUs;
    }

    private HashSet<string> FindRequiredFields()
    {
        var wanted = new HashSet<string>(View.KeyFields, StringComparer.Ordinal);
        wanted.UnionWith(Columns.Select(c => c.Name));
        if (View.Filter is not null)
            wanted.UnionWith(CompiledExpression.Compile(View.Filter, RowSchema).Fields);
        foreach (var derived in View.Derive.Reverse())
        {
            if (wanted.Remove(derived.Name))
                wanted.UnionWith(CompiledExpression.Compile(derived.Expression, RowSchema).Fields);
        }

        return wanted;
    }
}
