using StreamMl.Infrastructure.Tables;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.OnlineScorer.Tests.Api;
using StreamMl.Shared.Events;
using StreamMl.Shared.Models;

namespace StreamMl.OnlineScorer.Tests.Scoring;

public sealed class BatchScorerTests : IDisposable
{
    private readonly string directory = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "batch", Path.GetRandomFileName())).FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Run_VectorsThatWereServed_GivesTheSameBits()
    {
        await using var api = await ApiLab.StartAsync(scoring: _ => { }, factory: new EngineModels());
        for (var i = 0; i < 40; i++)
            api.Lab.Apply(new Trip($"A{i % 7}", $"B{i % 5}", i, i % 3 == 0 ? null : i * 0.37, ServingLab.StartUs + i));
        await api.Lab.CommitAsync();
        var version = await api.Models!.PublishTreesAsync("champion");
        await api.Models.RefreshAsync();
        api.Models.Host.Refused.ShouldBeEmpty();
        var rows = Enumerable.Range(0, 50).Select(i => $$"""{"origin":"A{{i % 9}}","dest":"B{{i % 6}}","number":{{i}}}""");
        var (status, json) = await api.PostAsync($$"""{"rows":[{{string.Join(',', rows)}}],"asOf":"latest","explain":true}""", "/v1/predict");
        status.ShouldBe(200, json.GetRawText());
        var online = json.GetProperty("predictions").EnumerateArray().ToList();
        var table = Table(api.Models.Store.Open(version).Manifest, online);
        using (var writer = new ArrowTableWriter(Path.Combine(directory, "part-0.arrow"), table.Schema))
        {
            writer.Write(table);
            writer.Commit();
        }

        var result = BatchScorer.Run(api.Models.Store.Open(version), new EngineModels(), directory, Path.Combine(directory, "out"), TestContext.Current.CancellationToken);
        result.Rows.ShouldBe(50);
        using var reader = new ArrowTableReader(result.Files.Single());
        var scored = new EventBatch(reader.Schema, 50);
        reader.Read(scored, 50).ShouldBeTrue();
        for (var i = 0; i < 50; i++)
        {
            scored.Column("score").Lanes[i].ShouldBe(BitConverter.DoubleToInt64Bits(online[i].GetProperty("score").GetDouble()));
            scored.Arena.GetString(scored.Column("decision").Lanes[i]).ShouldBe(online[i].GetProperty("decision").GetString());
            scored.Column("row").Lanes[i].ShouldBe(i);
        }

        online.Select(o => o.GetProperty("score").GetDouble()).Distinct().Count().ShouldBeGreaterThan(3);
        var explanation = online[3].GetProperty("explanation");
        var sum = explanation.GetProperty("base").GetDouble() + explanation.GetProperty("contributions").EnumerateArray().Sum(c => c.GetProperty("contribution").GetDouble());
        sum.ShouldBe(explanation.GetProperty("total").GetDouble(), 1e-6);
        (1 / (1 + Math.Exp(-sum))).ShouldBe(online[3].GetProperty("score").GetDouble(), 1e-9);
    }

    [Fact]
    public async Task Run_TableWithoutAnInput_SaysWhich()
    {
        using var lab = new ModelLab(ServingLab.MakeCatalog());
        var folder = lab.Store.Open(await lab.PublishAsync(0));
        var schema = new EventSchema("t", [new("number", FieldType.Int64, true)]);
        using (var writer = new ArrowTableWriter(Path.Combine(directory, "a.arrow"), schema))
        {
            writer.Write(new EventBatch(schema, 4));
            writer.Commit();
        }

        Should.Throw<ModelException>(() => BatchScorer.Run(folder, new LinearFactory(), directory, Path.Combine(directory, "out"), TestContext.Current.CancellationToken))
            .Message.ShouldContain("no column 'by_origin.count_1h'");
        Should.Throw<ModelException>(() => BatchScorer.Run(folder, new LinearFactory(), Path.Combine(directory, "nowhere"), directory, TestContext.Current.CancellationToken))
            .Message.ShouldContain("no .arrow file");
    }

    /// <summary>The vectors as the answers show them, and one column more.</summary>
    private static EventBatch Table(ModelManifest manifest, IReadOnlyList<System.Text.Json.JsonElement> online)
    {
        var inputs = manifest.Inputs.Reverse().Select(i => new EventField(i.Name, Enum.Parse<FieldType>(i.Type), Nullable: true)).ToList();
        var table = new EventBatch(new EventSchema("t", [new("row", FieldType.Int64, Nullable: false), .. inputs]), online.Count);
        for (var row = 0; row < online.Count; row++)
        {
            table.Columns[0].Set(row, (long)row);
            foreach (var part in online[row].GetProperty("explanation").GetProperty("contributions").EnumerateArray())
            {
                var (column, value) = (table.Column(part.GetProperty("input").GetString()!), part.GetProperty("value"));
                column.SetNull(row);
                if (value.ValueKind == System.Text.Json.JsonValueKind.Null)
                    continue;
                if (column.Type == FieldType.Float64)
                    column.Set(row, value.GetDouble());
                else
                    column.Set(row, value.GetInt64());
            }
        }

        table.Count = online.Count;
        return table;
    }
}
