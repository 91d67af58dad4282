namespace Lb.Transport;

/// <summary>Puts together what a gateway's clients go through before a server is picked.</summary>
internal static class TcpSteps
{
    /// <summary>Completes the settings of a gateway.</summary>
    /// <param name="settings">All but the steps and the pools of routes.</param>
    /// <param name="context">What it is configured by.</param>
    public static TcpSettings Complete(TcpSettings settings, in GatewayContext context)
    {
        GatewayOptions options = context.Options;
        ServerPools pools = context.Pools;
        List<IPreludeStep> steps = [];
        if (options.AcceptProxy is { } proxy)
        {
            // Who is let in goes by the address that the header names.
            steps.Add(new ProxyStep(proxy, context.Name, context.Logger));
            steps.Add(new AdmissionStep(options.TarpitTimeout));
        }


        (RouteOptions Route, TcpSettings Target)[] routes = [.. options.Routes.Select(route => (route, settings.To(pools[route.Pool])))];
        TcpSettings[] all = [settings, .. routes.Select(static r => r.Target)];
        if (routes.Length > 0 || all.Any(static s => s.Pool.UsesFirstBytes)) steps.Add(new InspectStep(routes, options.InspectDelay));
        return settings with { Steps = steps.Count == 0 ? null : [.. steps], Pools = [.. all.Select(static s => s.Pool).Distinct()] };
    }
}
