using System.Globalization;
using System.Net;

namespace Lb.Health;

/// <summary>What a program that checks is told, and what its end means. Pure.</summary>
internal static class CommandRun
{
    // HAProxy's word for what a server has not.
    private const string NotUsed = "NOT_USED";

    /// <summary>Arguments with the server's values in place of their names. The program itself stays as it is.</summary>
    public static string[] Arguments(IReadOnlyList<string> command, ProbeTarget target)
    {
        (string address, string port) = AddressOf(target.EndPoint);
        return
        [
            .. command.Take(1),
            .. command.Skip(1).Select(argument => argument
                .Replace("{address}", address, StringComparison.Ordinal).Replace("{port}", port, StringComparison.Ordinal)
                .Replace("{name}", target.Server, StringComparison.Ordinal).Replace("{pool}", target.Pool, StringComparison.Ordinal)),
        ];
    }

    /// <summary>The whole environment: HAProxy's variables, so that its scripts run as they are. Nothing of this process's own, which may hold secrets.</summary>
    public static string[] Environment(ProbeTarget target)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        (string address, string port) = AddressOf(target.EndPoint);
        return
        [
            $"PATH={CommandLine.SearchPath}",
            $"HAPROXY_PROXY_NAME={target.Pool}",
            $"HAPROXY_PROXY_ADDR={NotUsed}",
            $"HAPROXY_PROXY_PORT={NotUsed}",
            $"HAPROXY_SERVER_NAME={target.Server}",
            string.Create(culture, $"HAPROXY_SERVER_ID={target.ServerId}"),
            $"HAPROXY_SERVER_ADDR={address}",
            $"HAPROXY_SERVER_PORT={port}",
            string.Create(culture, $"HAPROXY_SERVER_CURCONN={target.Connections}"),
            string.Create(culture, $"HAPROXY_SERVER_MAXCONN={target.MaxConnections}"),
        ];
    }

    /// <summary>Judges how the program ended.</summary>
    /// <param name="end">How.</param>
    /// <param name="dynamic">True when codes from 2 on pass and set the weight to the code less 2 (keepalived <c>misc_dynamic</c>); 0 leaves the weight alone.</param>
    public static ProbeResult Judge(in CommandEnd end, bool dynamic)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        switch (end.Outcome)
        {
            case CommandOutcome.TimedOut:
                return new ProbeResult(CheckStatus.Layer7Timeout, 0, end.Text.Length == 0 ? "did not end in time" : $"did not end in time: {end.Text}");
            case CommandOutcome.NotStarted or CommandOutcome.Lost:
                return new ProbeResult(CheckStatus.SocketError, 0, end.Text);
            case CommandOutcome.Signalled:
                return new ProbeResult(CheckStatus.Layer7Response, 0, string.Create(culture, $"ended by signal {end.Code}"));
        }

        (int code, string output) = (end.Code, end.Text);
        if (code == 0) return new ProbeResult(CheckStatus.Layer7Ok, 0, output);
        if (dynamic && code >= 2)
            return new ProbeResult(CheckStatus.Layer7Ok, code, output.Length == 0 ? string.Create(culture, $"weight {code - 2}") : output) { Advice = new ProbeAdvice { Weight = code - 2 } };
        return new ProbeResult(CheckStatus.Layer7Status, code, output.Length == 0 ? string.Create(culture, $"exit code {code}") : output);
    }

    private static (string Address, string Port) AddressOf(EndPoint endPoint) => endPoint switch
    {
        IPEndPoint ip => (ip.Address.ToString(), ip.Port.ToString(CultureInfo.InvariantCulture)),
        DnsEndPoint name => (name.Host, name.Port.ToString(CultureInfo.InvariantCulture)),
        _ => (endPoint.ToString() ?? "", NotUsed),
    };
}
