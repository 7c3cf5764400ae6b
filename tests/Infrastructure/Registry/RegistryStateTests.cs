using StreamMl.Infrastructure.Registry;

namespace StreamMl.Infrastructure.Tests.Registry;

public sealed class RegistryStateTests
{
    private const string Base = "[]";
    private const string PlusRequired = """[{"name":"b","type":"int"}]""";
    private const string PlusOptional = """[{"name":"b","type":"int","default":0}]""";

    [Theory]
    [InlineData(CompatibilityLevel.Backward, Base, PlusOptional, true)]
    [InlineData(CompatibilityLevel.Backward, Base, PlusRequired, false)]
    [InlineData(CompatibilityLevel.Backward, PlusRequired, Base, true)]
    [InlineData(CompatibilityLevel.Forward, Base, PlusRequired, true)]
    [InlineData(CompatibilityLevel.Forward, PlusRequired, Base, false)]
    [InlineData(CompatibilityLevel.Full, PlusRequired, Base, false)]
    [InlineData(CompatibilityLevel.Full, Base, PlusRequired, false)]
    [InlineData(CompatibilityLevel.Full, Base, PlusOptional, true)]
    [InlineData(CompatibilityLevel.None, Base, PlusRequired, true)]
    public void Register_UnderLevel_ChecksItsDirection(CompatibilityLevel level, string first, string second, bool allowed)
    {
        var state = new RegistryState();
        state.SetLevel("s", level);
        state.Register("s", Record(first));
        state.Check("s", Record(second), null).Count.ShouldBe(allowed ? 0 : 1);
        if (allowed) state.Register("s", Record(second)).Version.ShouldBe(2);
        else Should.Throw<RegistryException>(() => state.Register("s", Record(second))).ErrorCode.ShouldBe(409);
    }

    [Theory]
    [InlineData(CompatibilityLevel.Backward, true)]
    [InlineData(CompatibilityLevel.BackwardTransitive, false)]
    public void Register_Transitive_LooksAtAllVersions(CompatibilityLevel level, bool allowed)
    {
        // b: int -> (gone) -> string with a default: fine after the second, unreadable after the first.
        var state = new RegistryState();
        state.SetLevel(null, level);
        state.Register("s", Record(PlusRequired));
        state.Register("s", Record(Base));
        state.Check("s", Record("""[{"name":"b","type":"string","default":""}]"""), null).Count.ShouldBe(allowed ? 0 : 1);
    }

    [Fact]
    public void Register_AfterSoftDelete_GoesOnCountingVersions()
    {
        var state = new RegistryState();
        state.Register("s", Record(Base));
        state.DeleteVersion("s", 1, permanent: false);
        state.Register("s", Record(PlusRequired)).Version.ShouldBe(2);
        state.Versions("s", deleted: true).ShouldBe([1, 2]);
        state.Versions("s", deleted: false).ShouldBe([2]);
    }

    private static string Record(string fields) => $$"""{"type":"record","name":"R","fields":{{fields}}}""";
}
