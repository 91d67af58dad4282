using System.Globalization;

namespace Lb.Vrrp;

/// <summary>What the end of a program means, in words. Pure.</summary>
internal static class CommandWords
{
    public static (bool Passed, string Text) Tell(CommandEnd end)
    {
        string said = end.Text.Split('\n', 2)[0].TrimEnd();
        string how = end.Outcome switch
        {
            CommandOutcome.Exited => string.Create(CultureInfo.InvariantCulture, $"exit code {end.Code}"),
            CommandOutcome.Signalled => string.Create(CultureInfo.InvariantCulture, $"ended by signal {end.Code}"),
            CommandOutcome.TimedOut => "did not end in time",
            _ => "",
        };
        return (end.IsSuccess, how.Length == 0 ? said : said.Length == 0 ? how : $"{how}: {said}");
    }
}
