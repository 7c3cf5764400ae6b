using StreamMl.Infrastructure.Predictions;
using StreamMl.ModelEngine;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>A model that may serve: verified, and bound to the service whose vectors it reads. Immutable; thread-safe.</summary>
public sealed class LoadedModel
{
    private readonly int[] storedColumns;
    private readonly FieldType[] inputTypes;

    /// <param name="version">Which.</param>
    /// <param name="code">Its code.</param>
    /// <param name="service">The service that it reads.</param>
    /// <param name="policy">What is done about values that are missing or too old.</param>
    /// <param name="threshold">The least score that a binary model decides positive; null: the model's own.</param>
    /// <exception cref="ModelException">An input is not what the service or its trigger has.</exception>
    internal LoadedModel(ModelVersion version, IModelCode code, ServedService service, CompiledPolicy policy, double? threshold)
    {
        (Version, Code, Service, Policy) = (version, code, service, policy);
        Threshold = code.Task == ModelTask.Binary ? threshold ?? code.Threshold : null;
        inputTypes = [.. code.Inputs.Select(i => i.Type)];
        storedColumns = [.. code.Inputs.Select(i => i.Origin == InputOrigin.Stored ? ColumnOf(i) : -1)];
        GivenSchema = new EventSchema("given", [.. code.Inputs.Where(i => i.Origin == InputOrigin.Request).Select(i => new EventField(i.Name, i.Type, Nullable: true))]);
    }

    public ModelVersion Version { get; }

    public IModelCode Code { get; }

    public ServedService Service { get; }

    internal CompiledPolicy Policy { get; }

    /// <summary>Null for a model without a decision by threshold.</summary>
    public double? Threshold { get; }

    public IReadOnlyList<string> Classes => Code.Classes;

    public IReadOnlyList<ModelInput> Inputs => Code.Inputs;

    /// <summary>The inputs that come with the event or the caller.</summary>
    public EventSchema GivenSchema { get; }

    /// <summary>The service's column of an input, or -1: it is given.</summary>
    public int StoredColumn(int input) => storedColumns[input];

    /// <summary>Where the given inputs are among these fields, by input; -1 for a stored one.</summary>
    /// <exception cref="ModelException">One is missing, or has another type.</exception>
    public int[] GivenColumns(EventSchema given, string what) => [.. Inputs.Select(i => i.Origin == InputOrigin.Stored ? -1 : GivenColumn(i, given, what))];

    /// <summary>Puts a vector together.</summary>
    /// <param name="stored">The service's columns.</param>
    /// <param name="given">What came with the event or the caller.</param>
    /// <param name="row">Its row.</param>
    /// <param name="givenColumns">As <see cref="GivenColumns"/> says for the given fields.</param>
    /// <param name="vector">Filled; columns in the order of <see cref="Inputs"/>.</param>
    public void Fill(FeatureRow stored, EventBatch given, int row, int[] givenColumns, FeatureRow vector)
    {
        vector.Arena.Clear();
        ReadOnlySpan<long> fromLanes = stored.Lanes;
        ReadOnlySpan<byte> fromValid = stored.Valid;
        var lanes = vector.Lanes.AsSpan(0, givenColumns.Length);
        var valid = vector.Valid.AsSpan(0, givenColumns.Length);
        for (var input = 0; input < givenColumns.Length; input++)
        {
            if (givenColumns[input] >= 0)
            {
                VectorCopy.Cell(given, givenColumns[input], row, vector, input);
            }
            else if (inputTypes[input] == FieldType.String)
            {
                VectorCopy.Value(stored, storedColumns[input], FieldType.String, vector, input);
            }
            else
            {
                // Whatever the lane of a null is, the vector's is 0.
                var column = storedColumns[input];
                valid[input] = fromValid[column];
                lanes[input] = fromValid[column] == 0 ? 0 : fromLanes[column];
            }
        }
    }

    /// <summary>What predictions of this model look like.</summary>
    /// <param name="triggerFields">The trigger's fields without its event time.</param>
    public PredictionSchema PredictionsOf(IEnumerable<EventField> triggerFields) =>
        new(Service.Program.Name, triggerFields.Select(f => (f.Name, f.Type)), Inputs.Select(i => (i.Name, i.Type)));

    private int ColumnOf(ModelInput input)
    {
        var columns = Service.Program.Columns;
        for (var i = 0; i < columns.Count; i++)
        {
            if (columns[i].FullName != input.Name)
                continue;
            return columns[i].Type == input.Type
                ? i
                : throw new ModelException($"{Version} reads '{input.Name}' as {input.Type}, and service '{Service.Program.Name}' computes it as {columns[i].Type}; train it again on a backfill of the present definition");
        }

        throw new ModelException($"{Version} reads '{input.Name}', which service '{Service.Program.Name}' does not compute; it has {columns.Count} columns, as {string.Join(", ", columns.Take(3).Select(c => c.FullName))}. Train it again on a backfill of the present definition");
    }

    private int GivenColumn(ModelInput input, EventSchema given, string what)
    {
        var column = given.IndexOf(input.Name);
        if (column < 0)
            throw new ModelException($"{Version} reads '{input.Name}' with each event, which {what} does not have; it has {string.Join(", ", given.Fields.Select(f => f.Name))}. Train it without the field, or add it to the source");
        return given.Fields[column].Type == input.Type
            ? column
            : throw new ModelException($"{Version} reads '{input.Name}' as {input.Type}, and {what} has it as {given.Fields[column].Type}; train it again, or give the source's field its old type");
    }
}
