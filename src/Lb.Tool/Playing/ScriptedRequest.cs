using System.Text;

namespace Lb.Tool;

/// <summary>The request that a line of a script describes, for policies that hash parts of it. Immutable.</summary>
/// <param name="uri">Its target; null = none.</param>
/// <param name="headers">Its headers in the order of the line; the first of a name counts.</param>
internal sealed class ScriptedRequest(string? uri, IReadOnlyList<(string Name, string Value)> headers) : IPickRequest
{
    private readonly byte[] _target = Encoding.UTF8.GetBytes(uri ?? "");
    private readonly (byte[] Name, byte[] Value)[] _headers =
        [.. headers.Select(static h => (Encoding.ASCII.GetBytes(h.Name), Encoding.UTF8.GetBytes(h.Value.Trim())))];

    public ReadOnlySpan<byte> Target => _target;

    public ReadOnlySpan<byte> Body => default;

    public ReadOnlySpan<byte> FirstBytes => default;

    public bool TryGetHeader(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        foreach ((byte[] known, byte[] text) in _headers)
        {
            if (!Ascii.EqualsIgnoreCase(known, name)) continue;
            value = text;
            return true;
        }

        value = default;
        return false;
    }
}
