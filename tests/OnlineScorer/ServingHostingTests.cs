using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using StreamMl.OnlineScorer.Triggers;

namespace StreamMl.OnlineScorer.Tests;

public sealed class ServingHostingTests
{
    [Fact]
    public void AddTriggerServing_SectionServing_SetsWhatCodeDoesNot()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("Serving:StartAtEnd", "true"), new("Serving:FlushMs", "7000")]).Build());
        services.AddTriggerServing(o => o.FlushMs = 900);
        using var provider = services.BuildServiceProvider();
        var options = provider.GetRequiredService<TriggerServingOptions>();
        options.StartAtEnd.ShouldBeTrue();
        options.FlushMs.ShouldBe(900);
    }
}
