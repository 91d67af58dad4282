using Spectre.Console;

namespace Lb.Tool;

/// <summary>Shows a demo while it runs: a live table on a terminal, else a line a second.</summary>
/// <param name="console">Where to.</param>
/// <param name="time">The clock.</param>
internal sealed class DemoScreen(IAnsiConsole console, TimeProvider time)
{
    private static readonly TimeSpan TableInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(1);

    /// <summary>Shows until the demo ends.</summary>
    public Task ShowAsync(Func<DemoStatus> status, Task demo) =>
        console.Profile.Capabilities.Interactive ? ShowTableAsync(status, demo) : ShowLinesAsync(status, demo);

    private Task ShowTableAsync(Func<DemoStatus> status, Task demo) => console.Live(Table(status())).StartAsync(async live =>
    {
        while (!await EndsWithinAsync(demo, TableInterval).ConfigureAwait(false)) live.UpdateTarget(Table(status()));
        live.UpdateTarget(Table(status()));
    });

    private async Task ShowLinesAsync(Func<DemoStatus> status, Task demo)
    {
        int told = 0;
        bool ends;
        do
        {
            ends = await EndsWithinAsync(demo, LineInterval).ConfigureAwait(false);
            DemoStatus now = status();
            foreach (string line in now.Journal.Skip(told)) console.Profile.Out.Writer.WriteLine(line);
            told = now.Journal.Count;
            if (!ends) console.Profile.Out.Writer.WriteLine(Line(now));
        }
        while (!ends);
    }

    private async Task<bool> EndsWithinAsync(Task demo, TimeSpan interval)
    {
        await demo.WaitAsync(interval, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return demo.IsCompleted;
    }

    private static string Line(DemoStatus status)
    {
        IEnumerable<string> servers = status.Servers.Select(static s =>
            $"{s.Name} {Player.Word(s.Status)} {s.Answers} ({s.Share * 100:0} %)");
        return $"{status.Elapsed.TotalSeconds,4:0} s  {string.Join("  ", servers)}  requests {status.Requests}  errors {status.Errors}";
    }

    private static Rows Table(DemoStatus status)
    {
        Table table = new Table().RoundedBorder().AddColumns("Server", "State", "Share", "Requests", "Failures");
        foreach (TableColumn column in table.Columns.Skip(2)) column.RightAligned();
        foreach (DemoStatus.Row server in status.Servers)
        {
            string colour = server.Status == ServerStatus.Up ? "green" : "red";
            string state = $"[{colour}]{Player.Word(server.Status)}[/]";
            table.AddRow(server.Name, state, $"{server.Share * 100:0.0} %", $"{server.Answers}", $"{server.Failures}");
        }

        string errors = status.Errors == 0 ? "[green]0[/]" : $"[yellow]{status.Errors}[/]";
        string elapsed = $"{status.Elapsed.TotalSeconds:0.0} s";
        Markup totals = new($"{elapsed}   requests {status.Requests}   errors seen by clients {errors}   tried elsewhere {status.Retries}");
        return new Rows([table, totals, .. status.Journal.Select(static line => new Text(line))]);
    }
}
