using Microsoft.Extensions.Options;

namespace Lb;

/// <summary>Checks what a gateway looks at before it picks: PROXY headers and routes. Pure.</summary>
internal static class PrefaceValidation
{
    public static void Validate(string path, GatewayOptions gateway, LbOptions all, List<ConfigurationError> errors)
    {
        if (gateway.AcceptProxy is { } proxy) Validate($"{path}:AcceptProxy", proxy, errors);
        for (int i = 0; i < gateway.Routes.Count; i++) Validate($"{path}:Routes:{i}", gateway.Routes[i], all, errors);
    }

    private static void Validate(string path, AcceptProxyOptions proxy, List<ConfigurationError> errors)
    {
        Rules.Run(new AcceptProxyRules(), path, proxy, errors);
        for (int i = 0; i < proxy.From.Count; i++)
        {
            if (!proxy.From[i].Equals("unix", StringComparison.OrdinalIgnoreCase) && !AddressPrefix.TryParse(proxy.From[i], out _, out string? error))
                errors.Add(new($"{path}:From:{i}", proxy.From[i], $"{error}, or unix"));
        }
    }

    private static void Validate(string path, RouteOptions route, LbOptions all, List<ConfigurationError> errors)
    {
        Rules.Run(new RouteRules(), path, route, errors);
        LbConfiguration.DemandPool(path, route.Pool, all, errors);
        if (route.Sni.Count == 0 && route.Alpn.Count == 0) errors.Add(new(path, null, "needs Sni or Alpn: what is in no route goes to the gateway's Pool"));
        for (int i = 0; i < route.Sni.Count; i++)
        {
            if (!IsName(route.Sni[i])) errors.Add(new($"{path}:Sni:{i}", route.Sni[i], "must be a host name in ASCII, as a.example, or *.example.com for all below it"));
        }

        for (int i = 0; i < route.Alpn.Count; i++)
        {
            if (route.Alpn[i].Length is 0 or > 255 || route.Alpn[i].Any(static c => c is <= ' ' or > '~'))
                errors.Add(new($"{path}:Alpn:{i}", route.Alpn[i], "must be the name of a protocol, as h2 or http/1.1"));
        }
    }

    private static bool IsName(string name)
    {
        string host = name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name;
        return host.Length is > 0 and <= 253 && host.Split('.').All(static label => label.Length is > 0 and <= 63 && label.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'));
    }
}

[OptionsValidator]
internal sealed partial class AcceptProxyRules : IValidateOptions<AcceptProxyOptions>;

[OptionsValidator]
internal sealed partial class RouteRules : IValidateOptions<RouteOptions>;
