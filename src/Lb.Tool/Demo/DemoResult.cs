namespace Lb.Tool;

/// <summary>How a demo went.</summary>
/// <param name="Status">The last status.</param>
/// <param name="Detected">Time from the kill to DOWN; null when that was not reached.</param>
/// <param name="Returned">Time from the revival to UP; null when that was not reached.</param>
/// <param name="WorstClient">Errors of the client that saw the most.</param>
/// <param name="Victim">The server that was killed.</param>
/// <param name="Stopped">It was stopped before its end.</param>
internal sealed record DemoResult(DemoStatus Status, TimeSpan? Detected, TimeSpan? Returned, int WorstClient, string Victim, bool Stopped)
{
    /// <summary>
    /// Each client has one request at a time, so the kill may cost it one; who comes again must be served. And the server must have been
    /// found dead and alive again, and every one must have had its share.
    /// </summary>
    public bool IsGood => WorstClient <= 1 && (Stopped || IsWhole);

    private bool IsWhole => Detected is not null && Returned is not null && Status.Servers.All(static s => s.Answers > 0);

    /// <summary>The summary, line by line.</summary>
    public IEnumerable<string> Lines()
    {
        string worst = WorstClient <= 1 ? $"in flight when {Victim} was killed; nobody saw two" : $"one client saw {WorstClient}";
        string told = Status.Errors == 0 ? "" : $" ({worst})";
        IEnumerable<string> shares = Status.Servers.Select(static s => $"{s.Name} {s.Share * 100:0.0} %");
        yield return "Summary";
        yield return $"  requests            {Status.Requests}";
        yield return $"  errors clients saw  {Status.Errors}{told}";
        yield return $"  tried elsewhere     {Status.Retries}";
        yield return $"  time to detect      {Milliseconds(Detected)}";
        yield return $"  time to return      {Milliseconds(Returned)}";
        yield return $"  share per server    {string.Join("   ", shares)}";
        yield return $"  result              {(!IsGood ? "NOT GOOD" : Stopped ? "good, stopped before the end" : "good")}";
    }

    private static string Milliseconds(TimeSpan? time) => time is { } t ? $"{t.TotalMilliseconds:0} ms" : "-";
}
