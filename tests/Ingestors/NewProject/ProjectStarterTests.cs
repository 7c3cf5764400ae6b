using StreamMl.Infrastructure.Catalogs;
using StreamMl.Ingestors.Mapping;
using StreamMl.Ingestors.NewProject;
using StreamMl.Ingestors.Records;

namespace StreamMl.Ingestors.Tests.NewProject;

public sealed class ProjectStarterTests : IDisposable
{
    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Create_TimeAndKeyNotSaid_AsksWithCandidates()
    {
        var result = ProjectStarter.Create(new NewProjectRequest(WriteOrders(), null, null, null, Out));
        result.Files.ShouldBeEmpty();
        Directory.Exists(Out).ShouldBeFalse();
        result.Questions.Select(q => q.Option).ShouldBe(["--time", "--key"]);
        result.Questions[0].Candidates.ShouldBe(["Ordered At"]);
        result.Questions[1].Candidates.ShouldBe(["customer_id", "zip", "items"]);
    }

    [Fact]
    public void Create_WrongColumns_SaysWhatIsWrong()
    {
        var result = ProjectStarter.Create(new NewProjectRequest(WriteOrders(), "zip", ["amount"], null, Out));
        result.Questions[0].Text.ShouldContain("'zip'");
        result.Questions[1].Text.ShouldContain("'amount' is a fraction");
    }

    [Fact]
    public void Create_CsvOfTheUser_GivesAProjectThatLoadsAndReadsEveryRow()
    {
        var file = WriteOrders();
        var result = ProjectStarter.Create(new NewProjectRequest(file, "Ordered At", ["customer_id"], "shop orders", Out));
        result.Questions.ShouldBeEmpty();
        result.FirstFeature.ShouldBe("shop_orders_by_customer_id.count_24h");
        var loaded = CatalogFile.Load(result.Files[0]);
        loaded.Catalog.ShouldNotBeNull(string.Join('\n', loaded.Diagnostics));
        var source = loaded.Catalog.Sources.Single();
        source.Schema.Find("zip")!.Type.ShouldBe(Shared.Events.FieldType.String, "a leading zero is part of it");
        loaded.Catalog.Views.Single().Features.Select(f => f.Name).ShouldBe(
            ["count_1h", "count_24h", "count_7d", "mean_amount_1h", "mean_amount_24h", "mean_amount_7d", "mean_items_1h", "mean_items_24h", "mean_items_7d"], ignoreOrder: true);
        var mapping = MappingReader.Read(result.Files[2]).Sources.Single();
        using var records = new FileRecords(mapping, source, schemaId: 1);
        using var sorted = new SortedRecords(records, folder.Path);
        var rows = TestSources.ReadAll(sorted);
        rows.Count.ShouldBe(200);
        rows.ShouldAllBe(r => r.Problem == null && r.Key!.StartsWith("cust"));
        records.Unset.ShouldBeEmpty();
    }

    [Fact]
    public void Create_OneRowInAHundredWithoutTime_IsTakenAndSaid()
    {
        var file = WriteOrders();
        File.AppendAllText(file, "never,cust1,01000,1.5,2,order-x\n");
        var result = ProjectStarter.Create(new NewProjectRequest(file, "Ordered At", ["customer_id"], null, Out));
        result.Questions.ShouldBeEmpty();
        File.ReadAllText(result.Files[3]).ShouldContain("1 have no readable time");
        File.ReadAllText(result.Files[2]).ShouldContain("sort: true");
    }

    [Fact]
    public void Create_FlightsParquet_LoadsToo()
    {
        var result = ProjectStarter.Create(new NewProjectRequest(Path.Combine(TestSources.Root, "samples/flights/data/weather.parquet"), "hour", ["origin"], null, Out));
        var loaded = CatalogFile.Load(result.Files[0]);
        loaded.Catalog.ShouldNotBeNull(string.Join('\n', loaded.Diagnostics));
        using var records = new FileRecords(MappingReader.Read(result.Files[2]).Sources.Single(), loaded.Catalog.Sources.Single(), schemaId: 1);
        TestSources.ReadAll(records).Count(r => r.Problem is null).ShouldBe(26_115);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(25_000)]
    public void Create_NumberThatNamesTheRow_IsNeitherAKeyNorAveraged(int rows)
    {
        var text = new System.Text.StringBuilder("ride,driver,at,km\n");
        for (var i = 0; i < rows; i++)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{700_000_000 + i},{i % 7},{1_709_251_200_000L + (i * 1000L)},{i % 50}.5\n");
        var file = folder.Write("rides.csv", text.ToString());
        ProjectStarter.Create(new NewProjectRequest(file, "at", null, null, Out)).Questions.Single().Candidates.ShouldBe(["driver"]);
        var result = ProjectStarter.Create(new NewProjectRequest(file, "at", ["driver"], null, Out));
        CatalogFile.Load(result.Files[0]).Catalog!.Views.Single().Features.Select(f => f.Aggregation.Column).Distinct().ShouldBe([null, "km"]);
    }

    [Fact]
    public void Create_FolderWithAProject_IsRefused()
    {
        var file = WriteOrders();
        ProjectStarter.Create(new NewProjectRequest(file, "Ordered At", ["customer_id"], null, Out));
        Should.Throw<IOException>(() => ProjectStarter.Create(new NewProjectRequest(file, "Ordered At", ["customer_id"], null, Out))).Message.ShouldContain("--out");
    }

    private string Out => Path.Combine(folder.Path, "project");

    private string WriteOrders()
    {
        var text = new System.Text.StringBuilder("Ordered At,customer_id,zip,amount,items,order\n");
        for (var i = 0; i < 200; i++)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"2024-03-{1 + (i * 7 % 28):00} 12:{i % 60:00},cust{i % 20},0{1000 + (i % 15)},{i}.5,{(i % 9 == 0 ? "" : i % 4)},order-{i}\n");
        return folder.Write("orders.csv", text.ToString());
    }
}
