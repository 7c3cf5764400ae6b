using StreamMl.Shared.Events;

namespace StreamMl.ModelEngine;

/// <summary>Where a model's input comes from when it is served.</summary>
public enum InputOrigin
{
    /// <summary>A feature of the service, read from the store: <c>origin_landed.mean_arr_delay_1h</c>.</summary>
    Stored,

    /// <summary>A field of the trigger event, or what the caller of a request gives: <c>distance</c>.</summary>
    Request,
}

/// <summary>A column that a model reads, as it stands in the training set and in a served vector.</summary>
/// <param name="Name">The column's name in the training set: a service column's full name, or a field of the trigger.</param>
/// <param name="Type">Type of its values; any value may be null.</param>
/// <param name="Origin">Where it comes from when the model is served.</param>
public sealed record ModelInput(string Name, FieldType Type, InputOrigin Origin);
