using StreamMl.Shared.Definitions;
using StreamMl.Shared.Events;

namespace StreamMl.FeatureEngine.Validation;

/// <summary>The types of entities' keys as the views show them. One entity's keys have one type everywhere, or its key bytes would differ.</summary>
internal sealed class EntityKeyTypes(Report report)
{
    private readonly Dictionary<(string Entity, int Key), (FieldType Type, string Where)> types = [];

    public void Note(EntityDefinition entity, int key, FieldType type, SourceLocation? at, string where)
    {
        if (!types.TryGetValue((entity.Name, key), out var first))
            types[(entity.Name, key)] = (type, where);
        else if (first.Type != type)
            report.Error(at, $"key `{entity.Keys[key]}` of entity '{entity.Name}' is a {type} in {where} and a {first.Type} in {first.Where}", "Make both fields the same type, or name another field in `key`");
    }
}
