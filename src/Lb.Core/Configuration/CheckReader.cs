using Microsoft.Extensions.Configuration;

namespace Lb;

/// <summary>
/// Reads checks, and lets them begin as one of the shared ones (HAProxy 3.x <c>healthcheck</c> sections): what a check says itself replaces what that one
/// says, lists as a whole. Used by one thread.
/// </summary>
internal sealed class CheckReader
{
    // Their sections, to be read again into every check that uses them.
    private readonly Dictionary<string, IConfiguration> _shared = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes in the shared checks. Their faults are told here, not where they are used.</summary>
    public void ReadShared(ConfigurationReader reader, IDictionary<string, CheckOptions> target)
    {
        foreach (IConfigurationSection section in reader.Source.GetSection("HealthChecks").GetChildren()) _shared[section.Key] = section;
        reader.Items("HealthChecks", isList: false, (name, r) => target[name] = Read(r, name));
    }

    /// <summary>Reads a check.</summary>
    /// <param name="reader">Its section.</param>
    /// <param name="ownName">Its name, if it is a shared one.</param>
    public CheckOptions Read(ConfigurationReader reader, string? ownName = null)
    {
        CheckOptions check = new();
        List<string> chain = [];
        string? wanted = reader.Text("Use", null);
        for (string? name = wanted; name is not null && _shared.TryGetValue(name, out IConfiguration? section) && !Contains(chain, name); name = section["Use"]) chain.Add(name);
        if (wanted is not null && chain.Count == 0) reader.Errors.Add(new($"{reader.Path}:Use", wanted, $"is no shared check; {Known()}"));
        if (ownName is not null && Contains(chain, ownName)) reader.Errors.Add(new($"{reader.Path}:Use", wanted, $"goes round in a circle: {ownName}, {string.Join(", ", chain)}"));

        // From the far end of the chain, so that the nearest has the last word.
        for (int i = chain.Count - 1; i >= 0; i--)
            ConfigurationReader.ReadWhole(_shared[chain[i]], "", [], r => ReadInto(r, check));
        ReadInto(reader, check);
        return check;
    }

    private static bool Contains(List<string> chain, string name) => chain.Contains(name, StringComparer.OrdinalIgnoreCase);

    private string Known() => _shared.Count == 0 ? "there are none (Lb:HealthChecks)" : $"there are: {string.Join(", ", _shared.Keys.Order(StringComparer.Ordinal))}";

    private static void ReadInto(ConfigurationReader reader, CheckOptions check)
    {
        if (reader.Has("Headers")) check.Headers.Clear();
        if (reader.Has("Expects")) check.Expects.Clear();
        if (reader.Has("Requests")) check.Requests.Clear();
        if (reader.Has("Script")) check.Script.Clear();
        if (reader.Has("Command")) check.Command.Clear();
        check.Use = reader.Text("Use", check.Use);
        check.Type = reader.Word("Type", check.Type);
        check.Interval = reader.Duration("Interval", check.Interval);
        check.FastInterval = reader.Duration("FastInterval", check.FastInterval);
        check.DownInterval = reader.Duration("DownInterval", check.DownInterval);
        check.Timeout = reader.Duration("Timeout", check.Timeout);
        check.Rise = reader.Integer("Rise", check.Rise);
        check.Fall = reader.Integer("Fall", check.Fall);
        check.Retry = reader.Integer("Retry", check.Retry);
        check.DelayBeforeRetry = reader.Duration("DelayBeforeRetry", check.DelayBeforeRetry);
        check.Address = reader.Text("Address", check.Address);
        check.Port = reader.Integer("Port", check.Port);
        check.SourceAddress = reader.Text("SourceAddress", check.SourceAddress);
        check.SendProxy = reader.Text("SendProxy", check.SendProxy);
        check.Socks4 = reader.Text("Socks4", check.Socks4);
        check.Path = reader.Word("Path", check.Path);
        check.Method = reader.Word("Method", check.Method);
        check.Host = reader.Text("Host", check.Host);
        check.Expect = reader.Word("Expect", check.Expect);
        check.ExpectBody = reader.Text("ExpectBody", check.ExpectBody);
        CheckKindsReader.Read(reader, check);
        CheckServiceReader.Read(reader, check);
    }
}
