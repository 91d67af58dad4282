using System.Globalization;
using System.Text;

namespace Lb.Transport;

/// <summary>
/// The form in which host names travel and stand in certificates (RFC 5890: A-labels). <see cref="System.Net.Security.SslStream"/> tells the name of a client
/// in the other one.
/// </summary>
internal static class HostName
{
    private static readonly IdnMapping Mapping = new();

    /// <summary>The name in ASCII; one that has no such form as it is.</summary>
    public static string ToAscii(string name)
    {
        if (Ascii.IsValid(name)) return name;
        try
        {
            return Mapping.GetAscii(name);
        }
        catch (ArgumentException)
        {
            return name;
        }
    }
}
