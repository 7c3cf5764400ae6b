using System.Reflection;
using Confluent.SchemaRegistry;

namespace StreamMl.Benchmarks.Decode;

/// <summary>A registry client that knows one schema and answers at once, so that the deserializer alone is measured.</summary>
public class OneSchemaRegistry : DispatchProxy
{
    private readonly RegisteredSchema schema = new("bench-value", 1, BenchEvents.SchemaId, BenchEvents.Schema, SchemaType.Avro, []);

    public static ISchemaRegistryClient Create() => Create<ISchemaRegistryClient, OneSchemaRegistry>();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var result = targetMethod!.ReturnType;
        if (result == typeof(Task<Schema>) || result == typeof(Task<RegisteredSchema>))
            return result == typeof(Task<Schema>) ? Task.FromResult(schema.Schema) : Task.FromResult(schema);
        if (result == typeof(Task<List<Association>>))
            return Task.FromResult(new List<Association>());
        if (result == typeof(int))
            return 1_000;
        return result.IsValueType && result != typeof(void) ? Activator.CreateInstance(result) : null;
    }
}
