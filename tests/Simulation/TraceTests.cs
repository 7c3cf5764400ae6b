namespace StreamMl.Simulation.Tests;

public sealed class TraceTests
{
    [Fact]
    public void ToString_WorldThatStoodStill_ShowsWhereItStoppedAndNotOnlyTheLastSteps()
    {
        Seeds.SkipIfOnlyOne();
        var trace = new Trace();
        for (var step = 1; step <= 200_000; step++)
        {
            trace.Step = step;
            trace.Add(step == 1_000 ? "the cause" : "nothing");
            trace.Reached(Math.Min(step, 1_000));
        }

        var text = trace.ToString();
        text.ShouldContain("1000: the cause");
        text.ShouldContain("around step 1000, after which no position moved");
        text.ShouldContain("200000: nothing");
    }

    [Fact]
    public void ToString_WorldThatMoves_ShowsTheLastSteps()
    {
        Seeds.SkipIfOnlyOne();
        var trace = new Trace();
        for (var step = 1; step <= 2_000; step++)
        {
            trace.Step = step;
            trace.Add("step");
            trace.Reached(step);
        }

        trace.ToString().ShouldStartWith("1601: step");
    }
}
