using Microsoft.ML;
using StreamMl.ModelEngine;
using StreamMl.Shared.Events;
using StreamMl.Training.Data;
using StreamMl.Training.Tests.Jobs;

namespace StreamMl.Training.Tests.Data;

public sealed class TrainingSetTests : IDisposable
{
    private readonly TrainLab lab = new();

    public void Dispose() => lab.Dispose();

    [Fact]
    public void Open_TwoFiles_RowsAreThoseThatWereWritten()
    {
        using var set = lab.Open();
        set.Rows.ShouldBe(lab.Rows.Count);
        ModelInput[] inputs = [.. set.Manifest.Columns.Select(c => new ModelInput(c.Name, Enum.Parse<FieldType>(c.Type), InputOrigin.Stored))];
        var reader = new SetRowReader(set, inputs);
        foreach (var row in Enumerable.Range(0, set.Rows).Reverse())
        {
            reader.Read(row);
            for (var c = 0; c < inputs.Length; c++)
            {
                var column = lab.Rows.Columns[c];
                reader.Row.Valid[c].ShouldBe(column.Valid[row]);
                if (inputs[c].Type == FieldType.String)
                    reader.Row.Arena.GetString(reader.Row.Lanes[c]).ShouldBe(lab.Rows.Arena.GetString(column.Lanes[row]));
                else
                    reader.Row.Lanes[c].ShouldBe(column.Lanes[row]);
            }
        }
    }

    [Fact]
    public void ArrowDataView_Scan_GivesTheValuesAndAllocatesNothingPerRow()
    {
        using var set = lab.Open();
        var view = new ArrowDataView(set, ["view.mean", "view.flag", "shop", "event_time"]);
        Sum(view);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var sum = Sum(view);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(20_000);
        var means = lab.Rows.Columns[3];
        sum.ShouldBe(Enumerable.Range(0, lab.Rows.Count).Where(i => means.Valid[i] != 0).Sum(i => means.Doubles[i]), 1e-9);
        view.Preview(5).RowView[3].Values[2].Value.ToString().ShouldBe(lab.Rows.Arena.GetString(lab.Rows.Columns[1].Lanes[3]));
    }

    [Fact]
    public void ModelInputs_Trigger_AreWhatAServedModelHas()
    {
        using var set = lab.Open();
        var inputs = ModelInputs.Of(set.Manifest, "hit", []);
        inputs.Select(i => i.Name).ShouldBe(["event_time", "shop", "size", "view.mean", "view.flag", "grade", "amount"]);
        inputs.Where(i => i.Origin == InputOrigin.Stored).Select(i => i.Name).ShouldBe(["view.mean", "view.flag"]);
    }

    [Fact]
    public void ModelInputs_SpineFile_CarriedColumnsOnlyWhereNamed()
    {
        using var set = lab.Open();
        var manifest = set.Manifest with { Spine = "labels.csv 0123" };
        ModelInputs.Of(manifest, "hit", []).Select(i => i.Name).ShouldBe(["event_time", "shop", "view.mean", "view.flag"]);
        ModelInputs.Of(manifest, "hit", ["size"]).Select(i => i.Name).ShouldContain("size");
        Should.Throw<TrainingException>(() => ModelInputs.Of(manifest, "hit", ["hit_known_at"])).Message.ShouldContain("hit_known_at");
    }

    [Fact]
    public void Open_ChangedFile_IsRefused()
    {
        var path = Path.Combine(lab.Directory, "training", "part-00001.arrow");
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
        using (var set = lab.Open())
            Should.Throw<TrainingException>(set.Verify).Message.ShouldContain("part-00001.arrow");
        File.WriteAllBytes(path, bytes[..^8]);
        Should.Throw<TrainingException>(() => lab.Open()).Message.ShouldContain("the manifest says");
    }

    [Fact]
    public void RequireColumn_Slip_NamesTheNearest()
    {
        using var set = lab.Open();
        Should.Throw<TrainingException>(() => set.RequireColumn("shp", "split.entity")).Message.ShouldContain("Did you mean 'shop'?");
    }

    private static double Sum(ArrowDataView view)
    {
        using var cursor = view.GetRowCursor(view.Schema);
        var (mean, flag) = (cursor.GetGetter<double>(view.Schema[0]), cursor.GetGetter<double>(view.Schema[1]));
        var (shop, time) = (cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema[2]), cursor.GetGetter<long>(view.Schema[3]));
        var sum = 0.0;
        var text = default(ReadOnlyMemory<char>);
        while (cursor.MoveNext())
        {
            double value = 0, other = 0;
            long at = 0;
            mean(ref value);
            flag(ref other);
            shop(ref text);
            time(ref at);
            sum += double.IsNaN(value) ? 0 : value;
        }

        return sum;
    }
}
