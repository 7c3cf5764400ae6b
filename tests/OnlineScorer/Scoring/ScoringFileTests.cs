using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Tests.Scoring;

public sealed class ScoringFileTests
{
    [Fact]
    public void Parse_EveryKey_IsRead()
    {
        var policies = ScoringFile.Parse("scoring.yaml", """
            services:
              arrival_delay:
                topic: late.predictions
                threshold: 0.3
                missing: default
                defaults: { weather.last_temp: 10, weather.last_city: New York }
                views:
                  weather: { maxAge: 3h, stale: refuse }
                  landed: { maxAge: 10m }
            """);
        var policy = policies.Of("arrival_delay");
        policy.Topic.ShouldBe("late.predictions");
        policy.Threshold.ShouldBe(0.3);
        policy.Missing.ShouldBe(PolicyAction.Default);
        policy.Defaults["weather.last_city"].ShouldBe("New York");
        policy.Views["weather"].ShouldBe(new ViewPolicy(TimeSpan.FromHours(3), PolicyAction.Refuse));
        policy.Views["landed"].ShouldBe(new ViewPolicy(TimeSpan.FromMinutes(10), PolicyAction.Flag));
        policies.Of("other").ShouldBe(new ServicePolicy() with { Defaults = policies.Of("other").Defaults, Views = policies.Of("other").Views });
    }

    [Theory]
    [InlineData("service: {}", "scoring.yaml:1:10", "unknown key 'service'")]
    [InlineData("services:\n  a:\n    missing: maybe", "scoring.yaml:3:14", "score, flag, default or refuse")]
    [InlineData("services:\n  a:\n    threshold: high", "scoring.yaml:3:16", "write a number")]
    [InlineData("services:\n  a:\n    views:\n      v: { maxAge: soon }", "scoring.yaml:4:20", "no duration")]
    [InlineData("services:\n  a: 5", "scoring.yaml:2:6", "no keys and values")]
    [InlineData("services: [", "scoring.yaml", "no YAML")]
    public void Parse_Wrong_SaysWhereAndWhat(string text, string place, string problem)
    {
        var message = Should.Throw<ModelException>(() => ScoringFile.Parse("scoring.yaml", text)).Message;
        message.ShouldStartWith(place);
        message.ShouldContain(problem);
    }

    [Fact]
    public async Task Load_PolicyNamesWhatIsNotThere_ModelIsRefused()
    {
        using var lab = new ModelLab(ServingLab.MakeCatalog(), ScoringFile.Parse("s", "services: { everything: { views: { weather: { maxAge: 3h } } } }"));
        var version = await lab.PublishAsync(0);
        Should.Throw<ModelException>(() => lab.Loader.Load(new ModelReference("late", version.Version))).Message.ShouldContain("view 'weather'");
    }
}
