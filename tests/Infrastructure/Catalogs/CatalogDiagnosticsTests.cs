using StreamMl.Shared.Definitions;

namespace StreamMl.Infrastructure.Tests.Catalogs;

/// <summary>Every mistake that the issue names: its place to the column, what was found, what would be right.</summary>
public sealed class CatalogDiagnosticsTests
{
    private const string Good = "source: landings\nentity: origin\nfeatures: [count]\nwindows: [1h]\n";

    [Theory]
    // The body stands from line 8 on, indented by 4.
    [InlineData(Good + "widows: [1h]", "12:5", "unknown key `widows`", "Did you mean `windows`?")]
    [InlineData("source: landing\nentity: origin\nfeatures: [count over 1h]", "8:13", "reads `landing`, which is no source", "Did you mean `landings`?")]
    [InlineData("source: landings\nentity: orign\nfeatures: [count over 1h]", "9:13", "is about `orign`, which is no entity", "Did you mean `origin`?")]
    [InlineData("source: landings\nentity: origin\nfeatures: [mean(arr_dely) over 1h]", "10:16", "`arr_dely`, which is neither a field", "Did you mean `arr_delay`?")]
    [InlineData("source: landings\nentity: origin\nfeatures: [mean(dest) over 1h]", "10:16", "cannot take `dest`, a String", "mean takes Int64 or Float64 or Boolean")]
    [InlineData("source: landings\nentity: origin\nfeatures: [avg(arr_delay) over 1h]", "10:16", "no aggregation `avg`", "There are these aggregations: count, sum, mean")]
    [InlineData("source: landings\nentity: origin\nfeatures: [mean over 1h]", "10:16", "`mean` names no column", "Write `mean(column)`")]
    [InlineData("source: landings\nentity: origin\nfeatures: [mean(arr_delay)]", "10:16", "`mean(arr_delay)` has no window", "over 1h")]
    [InlineData("source: landings\nentity: origin\nfeatures: [last_k(dest, 65)]", "10:16", "the parameter of `last_k(dest, 65)` is 65", "takes 1 to 64")]
    [InlineData("source: landings\nentity: origin\nfeatures: [last_k(dest)]", "10:16", "does not say how many", "last_k(dest, 3)")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count_distinct(dest, 10001) over 1h]", "10:16", "is 10001", "takes 1 to 10000")]
    [InlineData("source: landings\nentity: origin\nfeatures: [mean(arr_delay, 3) over 1h]", "10:16", "mean takes none", "Write `mean(arr_delay)`")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count]\nwindows: [1h, 67m]", "11:19", "67m of view 'v' is no multiple of its hop 5m", "Use 65m or 70m, or a finer `hop: 1m`")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count]\nwindows: [3s]", "11:15", "out of range", "5s to 365d")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count]\nwindows: [366d]", "11:15", "out of range", "5s to 365d")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count]\nwindows: [1 hour]", "11:15", "`1 hour` is no window", "30m, 1h, 7d")]
    [InlineData(Good + "hop: 10m", "12:10", "10m, which is not on the ladder", "1s, 5s, 15s, 1m, 5m, 15m, 1h, 6h, 24h")]
    [InlineData(Good + "allowedLateness: soon", "12:22", "`soon`, which is no duration", "15m, 24h, 7d")]
    [InlineData(Good + "allowedLateness: 31d", "12:22", "is 31d", "0s to 30d")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count over 7d]\nhop: 1s", "10:16", "keeps 605400 tiles", "longer hop")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count over 7d, last(dest)]\nidleLimit: 1d", "11:16", "less than its longest window", "Use at least")]
    [InlineData("source: landings\nentity: origin\nfeatures: [mean(late) over 1h]\nderive: { late: arr_dely>15 }", "11:21", "no field `arr_dely`", "Did you mean `arr_delay`?")]
    [InlineData("source: landings\nentity: origin\nfeatures: [mean(late) over 1h]\nderive:\n  late: \"arr_delay>15 and dest\"", "12:31", "and takes a Boolean, and `dest` is a String", "dest = 'value'")]
    [InlineData("source: landings\nentity: origin\nfeatures: [mean(late) over 1h]\nderive:\n  late: arr_delay >", "12:24", "found the end", "Correct the expression")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count(dest) over 1h]\nderive:\n  dest: arr_delay", "12:13", "already a column of that name", "another name")]
    [InlineData(Good + "where: arr_delay", "12:12", "is a Int64", "arr_delay > 0")]
    [InlineData(Good + "key: [origin, dest]", "12:11", "2 key field(s), and entity 'origin' has 1", "one field of the source for each key")]
    [InlineData(Good + "key: air_time", "12:10", "`air_time`, a Float64", "string, an integer")]
    [InlineData(Good + "key: orig", "12:10", "`orig`, which is no field", "Did you mean `origin`?")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count over 1h, max(arr_delay) over 1h as count_1h]", "10:31", "two features named `count_1h`", "as name")]
    [InlineData("source: landings\nentity: origin\nfeatures: [count over 1h as 1st]", "10:16", "`1st` is no name", "start with a letter")]
    [InlineData("source: landings\nentity: origin\nfeatures: [mean(arr_delay - 5) over 1h]", "10:16", "that is no column", "Write it as")]
    [InlineData("entity: origin\nfeatures: [count over 1h]", "7:3", "has no source", "landings")]
    [InlineData("source: landings\nfeatures: [count over 1h]", "7:3", "has no entity", "origin, route")]
    [InlineData("source: landings\nentity: origin", "7:3", "has no features", "features: [count]")]
    [InlineData(Good + "hop: [1h]", "12:10", "hop is a list where one text is expected", "hop: value")]
    public void View_Mistake_IsFoundAtItsPlace(string body, string place, string found, string right) =>
        ShouldFind($"{CatalogLab.Head}views:\n  v:\n{CatalogLab.Indent(body)}", place, found, right);

    [Theory]
    [InlineData("trigger: landing\nfeatures: [v.*]", "10:14", "triggered by `landing`, which is no source", "Did you mean `landings`?")]
    [InlineData("trigger: landings\nfeatures: [v.*, vv.count_1h]", "11:21", "no view is called `vv`", "Did you mean `v`?")]
    [InlineData("trigger: landings\nfeatures: [v.count_2h]", "11:16", "has no such feature", "Did you mean `count_1h`?")]
    [InlineData("trigger: landings\nfeatures: [v.mean_*]", "11:16", "has no such feature", "count_1h")]
    [InlineData("trigger: landings\nfeatures: [v]", "11:16", "`v` in service 's' names no feature", "view.feature")]
    [InlineData("trigger: landings", "9:3", "reads no features", "features: [my_view.*]")]
    [InlineData("trigger: landings\nfeatures: [v.*]\nservingDelay: 1w", "12:19", "`1w`, which is no duration", "7d")]
    [InlineData("trigger: landings\nfeatures: [v.*]\ndelay: 1s", "12:5", "unknown key `delay`", "There are these keys")]
    public void Service_Mistake_IsFoundAtItsPlace(string body, string place, string found, string right) =>
        ShouldFind($"{CatalogLab.Head}views:\n  v: {{ source: landings, entity: origin, features: [count over 1h] }}\nservices:\n  s:\n{CatalogLab.Indent(body)}", place, found, right);

    [Theory]
    [InlineData("schema: landing.avsc\n    key: orign", "4:10", "`orign`, which is no field", "Did you mean `origin`?")]
    [InlineData("schema: landing.avsc\n    key: origin\n    eventTime: arr_delay", "5:16", "`arr_delay`, a Int64", "event_time")]
    [InlineData("schema: landing.avsc\n    key: origin\n    eventTime: at", "5:16", "which its schema does not have", "event_time")]
    [InlineData("schema: landing.avsc\n    key: origin\n    partitions: many", "5:17", "no whole number", "1 to 1024")]
    [InlineData("schema: landing.avsc\n    key: origin\n    partitions: 2000", "5:17", "2000 partitions", "1 to 1024")]
    [InlineData("schema: landing.avsc\n    key: origin\n    topic: a/b", "5:12", "`a/b` is no topic name", "letters")]
    [InlineData("schema: nothing.avsc\n    key: origin", "3:13", "no schema file nothing.avsc", "relative to the file")]
    [InlineData("schema: bad.avsc\n    key: origin", "3:13", "no usable Avro schema", "record")]
    [InlineData("key: origin", "2:3", "has no schema", "schemas/landings.avsc")]
    [InlineData("schema: landing.avsc", "2:3", "has no key", "key: customer_id")]
    public void Source_Mistake_IsFoundAtItsPlace(string body, string place, string found, string right) =>
        ShouldFind($"sources:\n  landings:\n    {body}\n", place, found, right, ("bad.avsc", "\"string\""));

    [Theory]
    [InlineData("sources: { a: [ }", "1:17", "no YAML", "indentation")]
    [InlineData("catalog: x\nveiws: {}", "2:1", "unknown key `veiws`", "Did you mean `views`?")]
    [InlineData("views: []", "1:8", "views is a list", "key: value")]
    [InlineData("include: other.yaml", "1:10", "no catalogue file other.yaml", "relative")]
    [InlineData("entities:\n  a: x\n  a: y", "3:3", "no YAML", "quotes")]
    [InlineData("", "1:1", "0 YAML documents", "Write one")]
    public void File_Mistake_IsFoundAtItsPlace(string yaml, string place, string found, string right) => ShouldFind(yaml, place, found, right);

    [Fact]
    public void Service_TriggerWithoutAKeyOfAnEntity_IsFound()
    {
        const string Schedule = """{"type":"record","name":"S","fields":[{"name":"event_time","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"origin","type":"string"}]}""";
        var yaml = CatalogLab.Head.Replace("entities:", "  schedules: { schema: schedule.avsc, key: origin }\nentities:", StringComparison.Ordinal)
            + "views:\n  v: { source: landings, entity: route, features: [count over 1h] }\nservices:\n  s:\n    trigger: schedules\n    features: [v.*]\n";
        ShouldFind(yaml, "11:14", "has no field `dest` to find it by", "Add `dest`", ("schedule.avsc", Schedule));
    }

    [Fact]
    public void Views_OneEntityWithKeysOfTwoTypes_IsFound() => ShouldFind(
        CatalogLab.Head + "views:\n  a: { source: landings, entity: origin, features: [count over 1h] }\n  b: { source: landings, entity: origin, key: flight, features: [count over 1h] }\n",
        "8:47", "is a Int64 in view 'b' and a String in view 'a'", "same type");

    [Fact]
    public void Names_TwiceInTwoFiles_AreFound() => ShouldFind(
        "include: more.yaml\nentities:\n  origin: origin\n", "3:3", "two definitions of entity 'origin', the first at more.yaml:2:3", "Rename", ("more.yaml", "entities:\n  origin: origin\n"));

    [Fact]
    public void Family_OneMistake_IsReportedOnce()
    {
        var result = CatalogLab.Load(CatalogLab.Head + "views:\n  landed: { source: landings, entities: [origin, route], features: [mean(arr_dely)], windows: [1h] }\n");
        result.Diagnostics.ShouldHaveSingleItem().Message.ShouldContain("arr_dely");
    }

    [Fact]
    public void Derived_NeverUsed_IsAWarning()
    {
        var result = CatalogLab.Load(CatalogLab.Head + "views:\n  v: { source: landings, entity: origin, derive: { late: arr_delay > 15 }, features: [count over 1h] }\n");
        result.HasErrors.ShouldBeFalse();
        result.Diagnostics.ShouldHaveSingleItem().Severity.ShouldBe(Severity.Warning);
    }

    private static void ShouldFind(string yaml, string place, string found, string right, params (string Path, string Text)[] more)
    {
        var result = CatalogLab.Load(yaml, more);
        var shown = string.Join('\n', result.Diagnostics);
        var diagnostic = result.Diagnostics.FirstOrDefault(d => d.Message.Contains(found, StringComparison.Ordinal));
        diagnostic.ShouldNotBeNull($"{yaml}\n{shown}");
        diagnostic.Severity.ShouldBe(Severity.Error);
        diagnostic.Location!.ToString().ShouldBe($"catalog.yaml:{place}", shown);
        diagnostic.Remedy.ShouldContain(right);
        result.Diagnostics.Count.ShouldBe(1, shown);
    }
}
