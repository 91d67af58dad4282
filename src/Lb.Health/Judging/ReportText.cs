namespace Lb.Health;

/// <summary>What people read of a check. Pure.</summary>
internal static class ReportText
{
    private const int Longest = 128;

    /// <summary>One line without control characters, cut to 128 characters: part of it may come from the server, and all of it goes to logs.</summary>
    public static string Clean(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        if (text.Length <= Longest && !text.Any(char.IsControl)) return text;
        return string.Concat(text.Take(Longest).Select(static c => char.IsControl(c) ? '?' : c));
    }

    /// <summary>Why a verdict has flipped: <c>L4CON: connection refused, 3/3 failed</c> or <c>L7STS/503: Service Unavailable, first check failed</c>.</summary>
    /// <param name="report">The check that flipped it.</param>
    /// <param name="needed">Checks in a row that flip it, when it is not the first and callers have not hurried it.</param>
    public static string Cause(CheckReport report, int needed)
    {
        int count = Math.Abs(report.Consecutive);
        string verb = report.Passed ? "passed" : "failed";
        return $"{Short(report)}, {(count == 1 && needed > 1 ? "first check" : $"{count}/{needed}")} {verb}";
    }

    /// <summary>One check in short: <c>L7OKC/404: Not Found</c>.</summary>
    public static string Short(CheckReport report)
    {
        string code = report.Code == 0 ? "" : $"/{report.Code}";
        string text = report.Text.Length == 0 ? "" : $": {report.Text}";
        return $"{report.Word}{code}{text}";
    }
}
