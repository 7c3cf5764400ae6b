using System.Text.Json;
using StreamMl.FeatureEngine.Views;
using StreamMl.OnlineScorer.Tests.Api;
using StreamMl.Shared.Definitions;
using StreamMl.TestKit.Store;

namespace StreamMl.OnlineScorer.Tests.Catalogs;

/// <summary>Computes an answer of one row anew, from the first trip on, into an empty store.</summary>
internal static class Recompute
{
    /// <summary>Each view's values, and what the answer says of them, are those of the prefix that it names.</summary>
    public static async Task ShouldEqualAsync(JsonElement answer, Catalog catalog, IReadOnlyList<Trip> trips, string query)
    {
        var row = answer.GetProperty("rows")[0];
        var (first, view) = (0, 0);
        foreach (var program in ViewProgram.CompileAll(catalog))
        {
            var said = row.GetProperty("views")[view++];
            var clean = new ServingLab(new InMemoryStateStore(), catalog);
            var partition = said.GetProperty("partition").GetInt32();
            foreach (var trip in trips.TakeWhile(_ => clean.ReadInMemory(program.View.Name, partition, "", ServingLab.StartUs).NextOffset < said.GetProperty("nextOffset").GetInt64()))
                clean.Apply(trip);
            await clean.CommitAsync();
            await using var api = await ApiLab.StartAsync(store: clean.Store, catalog: catalog);
            var (status, json) = await api.PostAsync(query);
            status.ShouldBe(200);
            var recomputed = json.GetProperty("rows")[0];
            recomputed.GetProperty("views")[view - 1].GetRawText().ShouldBe(said.GetRawText());
            for (var i = first; i < first + program.Outputs.Count; i++)
                recomputed.GetProperty("values")[i].GetRawText().ShouldBe(row.GetProperty("values")[i].GetRawText(), answer.GetProperty("names")[i].GetString());
            first += program.Outputs.Count;
        }
    }
}
