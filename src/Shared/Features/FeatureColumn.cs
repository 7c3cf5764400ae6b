using StreamMl.Shared.Events;

namespace StreamMl.Shared.Features;

/// <summary>One output column of a view or a service: <c>origin_landed.mean_arr_delay_1h</c>.</summary>
/// <param name="View">The view that computes it.</param>
/// <param name="Name">Its name within the view.</param>
/// <param name="Type">Type of its value; any value may be null.</param>
public sealed record FeatureColumn(string View, string Name, FieldType Type)
{
    public string FullName => $"{View}.{Name}";
}
