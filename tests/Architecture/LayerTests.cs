using ArchUnitNET.Loader;
using ArchUnitNET.xUnitV3;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace StreamMl.Architecture.Tests;

/// <summary>The house's rules: Shared &lt;- FeatureEngine, ModelEngine &lt;- services; services meet at a topic, the store, the archive or the registry, never in code.</summary>
public sealed class LayerTests
{
    private static readonly string[] Services = ["Ingestors", "StreamFeatures", "BatchBackfill", "Training", "OnlineScorer", "Monitoring"];

    private static readonly ArchUnitNET.Domain.Architecture House = new ArchLoader().LoadAssemblies(
        typeof(Shared.Definitions.Catalog).Assembly,
        typeof(FeatureEngine.Views.ViewProgram).Assembly,
        typeof(ModelEngine.ModelTask).Assembly,
        System.Reflection.Assembly.Load("StreamMl.Infrastructure"),
        System.Reflection.Assembly.Load("StreamMl.Ingestors"),
        System.Reflection.Assembly.Load("StreamMl.StreamFeatures"),
        System.Reflection.Assembly.Load("StreamMl.BatchBackfill"),
        System.Reflection.Assembly.Load("StreamMl.Training"),
        System.Reflection.Assembly.Load("StreamMl.Monitoring"),
        System.Reflection.Assembly.Load("StreamMl.OnlineScorer")).Build();

    public static TheoryData<string, string> Forbidden
    {
        get
        {
            var data = new TheoryData<string, string>();
            string[] all = ["Shared", "FeatureEngine", "ModelEngine", "Infrastructure", .. Services];
            foreach (var other in all.Skip(1))
                data.Add("Shared", other);
            foreach (var other in all.Skip(2))
                data.Add("FeatureEngine", other);
            foreach (var other in all.Except(["Shared", "ModelEngine"]))
                data.Add("ModelEngine", other);
            foreach (var other in all.Except(["Shared", "Infrastructure"]))
                data.Add("Infrastructure", other);
            foreach (var service in Services)
            {
                foreach (var other in Services.Where(s => s != service))
                    data.Add(service, other);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Forbidden))]
    public void Layer_DoesNotDependOnAnother(string layer, string other) =>
        Types().That().ResideInNamespaceMatching($@"^StreamMl\.{layer}(\.|$)")
            .Should().NotDependOnAnyTypesThat().ResideInNamespaceMatching($@"^StreamMl\.{other}(\.|$)")
            .Because($"{layer} must not know {other}").WithoutRequiringPositiveResults().Check(House);

    [Theory]
    [InlineData(@"^Confluent\.")]
    [InlineData(@"^StackExchange\.")]
    [InlineData(@"^Apache\.")]
    [InlineData(@"^Microsoft\.Extensions\.Logging")]
    [InlineData(@"^System\.IO\.File")]
    [InlineData(@"^System\.Threading\.Tasks")]
    public void Engines_ArePure(string @namespace) =>
        Types().That().ResideInNamespaceMatching(@"^StreamMl\.(Feature|Model)Engine(\.|$)")
            .Should().NotDependOnAnyTypesThat().ResideInNamespaceMatching(@namespace)
            .Because("the engines have no I/O, no logger and no async").WithoutRequiringPositiveResults().Check(House);
}
