using StreamMl.Shared.Definitions;

namespace StreamMl.Shared.Tests.Definitions;

/// <summary>Remedies for unknown names.</summary>
public sealed class SuggestionTests
{
    [Fact]
    public void Remedy_OfASlip_NamesTheNearest() => Suggestion.Remedy("origni", ["origin", "dest"], "inputs").ShouldBe("Did you mean `origin`?");

    [Fact]
    public void Remedy_OfAForeignName_ListsAllOfFew() => Suggestion.Remedy("weather", ["origin", "dest"], "inputs").ShouldBe("There are these inputs: origin, dest");

    [Fact]
    public void Remedy_AmongHundreds_ListsSomeAndCountsTheRest()
    {
        var remedy = Suggestion.Remedy("weather", Enumerable.Range(0, 237).Select(i => $"f{i}"), "inputs");
        remedy.ShouldStartWith("There are these inputs: f0, f1, ");
        remedy.ShouldEndWith($"f{Suggestion.Listed - 1} and {237 - Suggestion.Listed} more");
    }
}
